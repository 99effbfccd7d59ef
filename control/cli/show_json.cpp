// SPDX-License-Identifier: Apache-2.0
#include "control/cli/show_json.h"

#include "control/cli/json.h"
#include "control/cli/show_text.h"
#include "control/config/names.h"

namespace adit::cli {

namespace {

Json time_of(const Snapshot& snapshot, const std::optional<Instant>& at) {
    if (!at)
        return Json::null();
    return std::chrono::system_clock::to_time_t(
        snapshot.wall - std::chrono::duration_cast<WallTime::duration>(snapshot.now - *at));
}

Json address_of(const std::optional<Ipv4Address>& address) {
    return address ? Json{to_string(*address)} : Json::null();
}

Json of(const Snapshot& snapshot, const ike::IsakmpSaView& sa) {
    JsonObject object{{"conn_id", sa.conn_id.value},
                      {"role", sa.role == ike::Role::Initiator ? "initiator" : "responder"},
                      {"local", to_string(sa.local.address)},
                      {"local_port", sa.local.port},
                      {"peer", to_string(sa.remote.address)},
                      {"peer_port", sa.remote.port},
                      {"state", sa.state},
                      {"established", sa.established},
                      {"deleted", sa.deleted}};
    if (sa.policy) {
        object.add("encryption", config::encryption_name(sa.policy->cipher));
        object.add("hash", config::hash_name(sa.policy->hash));
        object.add("group", static_cast<unsigned>(sa.policy->group));
    }
    object.add("created", time_of(snapshot, sa.created));
    object.add("established_at", time_of(snapshot, sa.established_at));
    object.add("expires", time_of(snapshot, sa.expires));
    object.add("dpd", sa.dpd);
    object.add("nat_traversal", sa.nat_traversal);
    object.add("identity", sa.peer_identity);
    object.add("user", sa.user);
    object.add("assigned", address_of(sa.assigned));
    object.add("connection", sa.connection);
    return object;
}

Json of(const Snapshot& snapshot, const SaCounters& counters, Spi spi) {
    return JsonObject{{"spi", text("0x%08x", spi.value)},
                      {"packets", counters.packets},
                      {"bytes", counters.bytes},
                      {"errors", counters.errors},
                      {"sequence", counters.sequence},
                      {"last_packet", time_of(snapshot, counters.last_packet)}};
}

Json of(const Snapshot& snapshot, const ChildSa& child) {
    const ike::ChildSaView& view = child.view;
    return JsonObject{
        {"inbound", of(snapshot, child.inbound, view.inbound_spi)},
        {"outbound", of(snapshot, child.outbound, view.outbound_spi)},
        {"transform", transform_words(view.cipher, view.mac)},
        {"mode", view.transport ? "transport" : "tunnel"},
        {"udp_encapsulated", view.udp_encapsulated},
        {"pfs_group", view.pfs ? Json{static_cast<unsigned>(*view.pfs)} : Json::null()},
        {"established_at", time_of(snapshot, view.established_at)},
        {"expires", time_of(snapshot, view.expires)},
        {"current", view.current},
        {"isakmp", view.isakmp.value}};
}

Json of(const FlowCounters& counters) {
    return JsonObject{{"encaps", counters.encaps},
                      {"encaps_bytes", counters.encaps_bytes},
                      {"decaps", counters.decaps},
                      {"decaps_bytes", counters.decaps_bytes},
                      {"send_errors", counters.send_errors},
                      {"receive_errors", counters.receive_errors},
                      {"no_sa", counters.no_sa_send},
                      {"replay_failed", counters.replay_failed},
                      {"verify_failed", counters.verify_failed},
                      {"matches", counters.matches}};
}

Json of(const Snapshot& snapshot, const FlowStatus& flow) {
    JsonList sas;
    for (const ChildSa& child : flow.children)
        sas.add(of(snapshot, child));
    return JsonObject{{"interface", flow.interface},
                      {"map", flow.map_name},
                      {"sequence", flow.map_sequence},
                      {"access_list", flow.acl_name},
                      {"local_ts", flow_words(flow.flow.selector.local)},
                      {"remote_ts", flow_words(flow.flow.selector.remote)},
                      {"local", to_string(flow.local_endpoint)},
                      {"peer", to_string(flow.peer.address)},
                      {"peer_port", flow.peer.port},
                      {"path_mtu", flow.path_mtu},
                      {"plaintext_mtu", flow.plaintext_mtu},
                      {"counters", of(flow.counters)},
                      {"sas", sas}};
}

Json of(const InterfaceStatus& port, const config::Interface* settings) {
    JsonObject object{{"name", port.name},
                      {"admin_up", port.admin_up},
                      {"link_up", port.link_up},
                      {"protocol_up", port.protocol_up()},
                      {"mac", port.tunnel ? Json::null() : Json{mac_dotted(port.mac)}},
                      {"mtu", port.mtu},
                      {"ip_mtu", port.ip_mtu}};
    if (settings != nullptr) {
        object.add("description", settings->description);
        object.add("address", address_of(settings->address));
        object.add("prefix_length", settings->prefix_length);
    }
    object.add("in_packets", port.in_packets);
    object.add("in_bytes", port.in_bytes);
    object.add("in_errors", port.in_errors);
    object.add("in_missed", port.in_missed);
    object.add("out_packets", port.out_packets);
    object.add("out_bytes", port.out_bytes);
    object.add("out_errors", port.out_errors);
    if (port.tunnel)
        object.add("fault", port.tunnel->fault);
    return object;
}

const char* name(RouteStatus::Source source) {
    switch (source) {
    case RouteStatus::Source::Connected:
        return "connected";
    case RouteStatus::Source::Local:
        return "local";
    case RouteStatus::Source::Static:
        break;
    }
    return "static";
}

} // namespace

std::string json_isakmp_sa(const Snapshot& snapshot) {
    JsonList sas;
    for (const ike::IsakmpSaView& sa : snapshot.isakmp)
        sas.add(of(snapshot, sa));
    return json_answer("crypto.isakmp.sa", "sas", sas);
}

std::string json_isakmp_failures(const Snapshot& snapshot) {
    JsonObject counters;
    for (std::size_t i = 0; i < snapshot.ike_counters.failures.size(); ++i)
        counters.add(ike::to_string(static_cast<ike::Failure>(i)),
                     snapshot.ike_counters.failures[i]);
    return json_answer("crypto.isakmp.failures", "failures", counters);
}

std::string json_ipsec_sa(const Snapshot& snapshot,
                          std::optional<Ipv4Address> peer,
                          const std::string& interface) {
    JsonList flows;
    for (const FlowStatus& flow : snapshot.flows)
        if ((!peer || flow.peer.address == *peer) &&
            (interface.empty() || flow.interface == interface))
            flows.add(of(snapshot, flow));
    return json_answer("crypto.ipsec.sa", "flows", flows);
}

std::string json_interfaces(const Snapshot& snapshot, const std::string& name) {
    JsonList ports;
    for (const InterfaceStatus& port : snapshot.interfaces) {
        const auto settings = snapshot.config->interfaces.find(port.name);
        if (name.empty() || name == port.name)
            ports.add(of(
                port, settings == snapshot.config->interfaces.end() ? nullptr : &settings->second));
    }
    return json_answer("interfaces", "interfaces", ports);
}

std::string json_routes(const Snapshot& snapshot) {
    JsonList routes;
    for (const RouteStatus& route : snapshot.routes)
        routes.add(JsonObject{{"prefix", to_string(route.prefix)},
                              {"source", name(route.source)},
                              {"next_hop", address_of(route.next_hop)},
                              {"interface", route.interface},
                              {"distance", route.distance},
                              {"active", route.active}});
    return json_answer("ip.route", "routes", routes);
}

std::string json_arp(const Snapshot& snapshot) {
    JsonList entries;
    for (const ArpStatus& entry : snapshot.arp)
        entries.add(JsonObject{{"address", to_string(entry.address)},
                               {"mac", mac_dotted(entry.mac)},
                               {"interface", entry.interface},
                               {"complete", entry.state != ipc::NeighborState::Incomplete},
                               {"ours", entry.ours},
                               {"age_minutes", entry.age_minutes}});
    return json_answer("ip.arp", "entries", entries);
}

std::string json_version(const Snapshot& snapshot) {
    return json_answer("version",
                       "system",
                       JsonObject{{"hostname", snapshot.config->hostname},
                                  {"version", snapshot.version},
                                  {"started", time_of(snapshot, snapshot.started)},
                                  {"uptime", seconds_between(snapshot.started, snapshot.now)},
                                  {"dataplane_attached", snapshot.dataplane_attached},
                                  {"dataplane_pid", snapshot.dataplane_pid},
                                  {"dataplane_note", snapshot.dataplane_note}});
}

std::string json_drops(const Snapshot& snapshot) {
    JsonObject drops;
    for (std::size_t reason = 0; reason < kDropReasonCount; ++reason) {
        std::uint64_t packets = 0;
        for (const CoreStatus& core : snapshot.cores)
            packets += core.drops[reason];
        drops.add(kDropReasonNames[reason], packets);
    }
    return json_answer("dataplane.drops", "drops", drops);
}

std::string json_lines(std::string_view command, std::string_view output) {
    JsonList lines;
    while (!output.empty()) {
        const std::size_t end = std::min(output.find('\n'), output.size());
        lines.add(output.substr(0, end));
        output.remove_prefix(std::min(end + 1, output.size()));
    }
    return json_answer("text", "answer", JsonObject{{"command", command}, {"lines", lines}});
}

} // namespace adit::cli

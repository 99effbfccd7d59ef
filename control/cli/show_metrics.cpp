// SPDX-License-Identifier: Apache-2.0
#include "control/cli/show_metrics.h"

#include "control/cli/diagnosis.h"
#include "control/cli/show_text.h"

#include <cinttypes>
#include <map>
#include <unordered_set>
#include <utility>

namespace adit::cli {

namespace {

using Labels = std::vector<std::pair<const char*, std::string>>;

std::string escaped(const std::string& value) {
    std::string made;
    for (const char c : value) {
        if (c == '\\' || c == '"')
            made += '\\';
        if (c == '\n')
            made += "\\n";
        else
            made += c;
    }
    return made;
}

/// The samples of one name. Those with equal labels are summed.
class Family {
  public:
    Family(const char* name, const char* type, const char* help)
        : name_(name), type_(type), help_(help) {}

    void add(const Labels& labels, std::uint64_t value) { samples_[text_of(labels)] += value; }

    void put(std::string& out) const {
        append(out, "# HELP %s %s\n# TYPE %s %s\n", name_, help_, name_, type_);
        for (const auto& [labels, value] : samples_)
            append(out, "%s%s %" PRIu64 "\n", name_, labels.c_str(), value);
    }

  private:
    static std::string text_of(const Labels& labels) {
        std::string text;
        for (const auto& [label, value] : labels)
            text += std::string(text.empty() ? "{" : ",") + label + "=\"" + escaped(value) + '"';
        return text.empty() ? text : text + '}';
    }

    const char* name_;
    const char* type_;
    const char* help_;
    std::map<std::string, std::uint64_t> samples_;
};

class Exposition {
  public:
    Exposition(const Snapshot& snapshot, const std::vector<PeerRecord>& records)
        : snapshot_(snapshot), records_(records) {}

    std::string text() {
        system();
        tunnels();
        peers();
        ike();
        isakmp_sas();
        ipsec();
        dataplane();
        pools();
        certificates();
        return std::move(out_);
    }

  private:
    [[nodiscard]] std::uint64_t unix_time(Instant at) const {
        const WallTime wall =
            snapshot_.wall - std::chrono::duration_cast<WallTime::duration>(snapshot_.now - at);
        return static_cast<std::uint64_t>(std::chrono::system_clock::to_time_t(wall));
    }

    void one(const char* name, const char* type, const char* help, std::uint64_t value) {
        Family family{name, type, help};
        family.add({}, value);
        family.put(out_);
    }

    void system() {
        Family build{"vpn_build_info", "gauge", "Version of adit-control."};
        build.add({{"version", snapshot_.version}}, 1);
        build.put(out_);
        one("vpn_start_time_seconds",
            "gauge",
            "When adit-control started.",
            unix_time(snapshot_.started));
        one("vpn_dataplane_attached",
            "gauge",
            "Whether a dataplane is attached.",
            snapshot_.dataplane_attached ? 1 : 0);
    }

    void tunnels() {
        Family up{"vpn_tunnel_up", "gauge", "Whether a configured tunnel has IPsec SAs."};
        Family cause{
            "vpn_tunnel_down_cause", "gauge", "1 for the cause that show crypto diagnose names."};
        for (const Diagnosis& one : diagnose(snapshot_, records_)) {
            const std::string peer = to_string(one.peer.address);
            const bool has_sas =
                one.condition == Condition::Up || one.condition == Condition::Degraded;
            up.add({{"tunnel", one.connection}, {"peer", peer}}, has_sas ? 1 : 0);
            if (one.condition != Condition::Up)
                cause.add({{"tunnel", one.connection}, {"peer", peer}, {"cause", one.code}}, 1);
        }
        up.put(out_);
        cause.put(out_);
    }

    /// Of configured peers: strangers would be labels without bound.
    void peers() {
        std::unordered_set<Ipv4Address> configured;
        for (const FlowStatus& flow : snapshot_.flows)
            if (flow.dynamic_map.empty())
                configured.insert(flow.peer.address);
        Family flaps{
            "vpn_tunnel_flaps_total", "counter", "How often the tunnels of a peer went down."};
        Family change{"vpn_tunnel_last_change_time_seconds",
                      "gauge",
                      "When a tunnel of the peer last went up or down."};
        Family unanswered{"vpn_ike_unanswered_messages",
                          "gauge",
                          "IKE messages sent to the peer since it last said anything new."};
        for (const PeerRecord& record : records_) {
            if (!configured.contains(record.peer))
                continue;
            const Labels labels{{"peer", to_string(record.peer)}};
            unanswered.add(labels, record.plain.unanswered + record.floated.unanswered);
            std::uint64_t downs = 0;
            std::optional<Instant> last;
            for (const PeerEvent& event : record.events) {
                if (event.code != "up" && event.code != "down")
                    continue;
                downs += event.code == "down" ? event.count : 0;
                last = std::max(last, std::optional{event.last});
            }
            flaps.add(labels, downs);
            if (last)
                change.add(labels, unix_time(*last));
        }
        flaps.put(out_);
        change.put(out_);
        unanswered.put(out_);
    }

    void ike() {
        const ike::EngineCounters& counters = snapshot_.ike_counters;
        Family failures{
            "vpn_ike_failures_total", "counter", "What went wrong in negotiations, by reason."};
        for (std::size_t i = 0; i < counters.failures.size(); ++i)
            failures.add({{"reason", ike::to_string(static_cast<ike::Failure>(i))}},
                         counters.failures[i]);
        failures.put(out_);
        Family established{"vpn_ike_established_total", "counter", "Negotiations that succeeded."};
        established.add({{"phase", "1"}}, counters.phase1_established);
        established.add({{"phase", "2"}}, counters.phase2_established);
        established.put(out_);
        Family messages{"vpn_ike_messages_total", "counter", "IKE messages."};
        messages.add({{"direction", "in"}}, counters.messages_in);
        messages.add({{"direction", "out"}}, counters.messages_out);
        messages.put(out_);
        one("vpn_ike_retransmits_total",
            "counter",
            "IKE messages sent again.",
            counters.retransmits);
        Family dpd{"vpn_ike_dpd_total", "counter", "Dead peer detection requests."};
        dpd.add({{"result", "sent"}}, counters.dpd_sent);
        dpd.add({{"result", "acked"}}, counters.dpd_answered);
        dpd.put(out_);
    }

    void isakmp_sas() {
        Family sas{"vpn_ike_sas", "gauge", "ISAKMP SAs."};
        for (const char* state : {"negotiating", "established", "dying"})
            for (const char* role : {"initiator", "responder"})
                sas.add({{"state", state}, {"role", role}}, 0);
        for (const ike::IsakmpSaView& sa : snapshot_.isakmp)
            sas.add({{"state",
                      sa.deleted       ? "dying"
                      : sa.established ? "established"
                                       : "negotiating"},
                     {"role", sa.role == ike::Role::Initiator ? "initiator" : "responder"}},
                    1);
        sas.put(out_);
    }

    static Labels labels_of(const FlowStatus& flow, const char* direction) {
        if (!flow.dynamic_map.empty())
            return {{"peer", "dynamic"}, {"map", flow.dynamic_map}, {"direction", direction}};
        return {{"peer", to_string(flow.peer.address)},
                {"local_ts", flow_words(flow.flow.selector.local)},
                {"remote_ts", flow_words(flow.flow.selector.remote)},
                {"direction", direction}};
    }

    void ipsec() {
        Family sas{"vpn_ipsec_sas", "gauge", "IPsec SAs."};
        Family packets{
            "vpn_ipsec_sa_packets_total", "counter", "Packets of a flow, across rekeys."};
        Family bytes{"vpn_ipsec_sa_bytes_total", "counter", "Octets of a flow, across rekeys."};
        Family errors{
            "vpn_ipsec_sa_errors_total", "counter", "Packets of a flow that were dropped."};
        sas.add({{"direction", "in"}}, 0);
        sas.add({{"direction", "out"}}, 0);
        for (const FlowStatus& flow : snapshot_.flows) {
            packets.add(labels_of(flow, "in"), flow.counters.decaps);
            packets.add(labels_of(flow, "out"), flow.counters.encaps);
            bytes.add(labels_of(flow, "in"), flow.counters.decaps_bytes);
            bytes.add(labels_of(flow, "out"), flow.counters.encaps_bytes);
            errors.add(labels_of(flow, "in"), flow.counters.receive_errors);
            errors.add(labels_of(flow, "out"), flow.counters.send_errors);
            sas.add({{"direction", "in"}}, flow.children.size());
            sas.add({{"direction", "out"}}, flow.children.size());
        }
        for (const Family* family : {&sas, &packets, &bytes, &errors})
            family->put(out_);
        last_packets();
    }

    /// One-way tunnels are found with it. Flows of one label have one newest packet.
    void last_packets() {
        std::map<Labels, std::uint64_t> newest;
        const auto note = [&](Labels labels, const std::optional<Instant>& at) {
            if (at)
                newest[std::move(labels)] = std::max(newest[labels], unix_time(*at));
        };
        for (const FlowStatus& flow : snapshot_.flows)
            for (const ChildSa& child : flow.children) {
                note(labels_of(flow, "in"), child.inbound.last_packet);
                note(labels_of(flow, "out"), child.outbound.last_packet);
            }
        Family last{
            "vpn_ipsec_sa_last_packet_time_seconds", "gauge", "When the last packet passed."};
        for (const auto& [labels, when] : newest)
            last.add(labels, when);
        last.put(out_);
    }

    void dataplane() {
        Family drops{"vpn_ipsec_drops_total", "counter", "Packets dropped, by reason."};
        Family busy{
            "vpn_dataplane_core_busy_seconds_total", "counter", "Time with packets at hand."};
        Family idle{"vpn_dataplane_core_idle_seconds_total", "counter", "Time without."};
        Family packets{"vpn_dataplane_core_packets_total", "counter", "Packets that a core took."};
        constexpr std::uint64_t kNanoseconds = 1'000'000'000;
        for (const CoreStatus& core : snapshot_.cores) {
            for (std::size_t reason = 0; reason < kDropReasonCount; ++reason)
                drops.add({{"reason", kDropReasonNames[reason]}}, core.drops[reason]);
            const Labels labels{{"core", core.name}};
            busy.add(labels, core.busy_ns / kNanoseconds);
            idle.add(labels, core.idle_ns / kNanoseconds);
            packets.add(labels, core.packets);
        }
        Family up{"vpn_interface_up", "gauge", "Whether routes lead out of the interface."};
        Family missed{
            "vpn_dataplane_rx_missed_total", "counter", "Packets that no core took in time."};
        for (const InterfaceStatus& port : snapshot_.interfaces) {
            up.add({{"interface", port.name}}, port.protocol_up() ? 1 : 0);
            if (port.has_port)
                missed.add({{"port", port.name}}, port.in_missed);
        }
        for (const Family* family : {&drops, &busy, &idle, &packets, &up, &missed})
            family->put(out_);
    }

    void pools() {
        Family addresses{"vpn_pool_addresses", "gauge", "Addresses of a pool."};
        Family exhausted{
            "vpn_pool_exhausted_total", "counter", "How often nothing was left to lend."};
        for (const ike::PoolView& pool : snapshot_.pools) {
            const std::uint64_t size =
                std::uint64_t{pool.range.last.value} - pool.range.first.value + 1;
            addresses.add({{"pool", pool.name}, {"state", "used"}}, pool.in_use);
            addresses.add({{"pool", pool.name}, {"state", "free"}}, size - pool.in_use);
            exhausted.add({{"pool", pool.name}}, pool.exhausted);
        }
        addresses.put(out_);
        exhausted.put(out_);
    }

    void certificates() {
        Family expiry{"vpn_certificate_expiry_time_seconds",
                      "gauge",
                      "When our own certificate under a trustpoint ends."};
        for (const pki::TrustpointStatus& trustpoint : snapshot_.trustpoints)
            if (trustpoint.loaded && !trustpoint.loaded->own.empty())
                expiry.add({{"trustpoint", trustpoint.files.name}},
                           static_cast<std::uint64_t>(std::chrono::system_clock::to_time_t(
                               trustpoint.loaded->own.front().expires)));
        expiry.put(out_);
    }

    const Snapshot& snapshot_;
    const std::vector<PeerRecord>& records_;
    std::string out_;
};

} // namespace

std::string show_metrics(const Snapshot& snapshot, const std::vector<PeerRecord>& records) {
    return Exposition(snapshot, records).text();
}

} // namespace adit::cli

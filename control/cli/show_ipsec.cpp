// SPDX-License-Identifier: Apache-2.0
#include "control/cli/show_ipsec.h"

#include "control/cli/show_text.h"

#include <algorithm>
#include <map>

namespace adit::cli {
namespace {

using ike::ChildSaView;

using Number = unsigned long long; // what %llu takes

enum class Direction : std::uint8_t {
    Inbound,
    Outbound,
};

/// The pair that new packets leave by; null while there is none.
const ChildSa* current_child(const FlowStatus& flow) {
    const auto found = std::ranges::find_if(flow.children, [](const ChildSa& child) {
        return child.view.current && child.view.outbound_spi != Spi{};
    });
    return found == flow.children.end() ? nullptr : &*found;
}

bool matches(const FlowStatus& flow, const IpsecSaFilter& filter) {
    return (!filter.peer || flow.peer.address == *filter.peer) &&
           (filter.interface.empty() || flow.interface == filter.interface);
}

void append_identity(std::string& out, const FlowStatus& flow) {
    const TrafficSelector& selector = flow.flow.selector;
    append(out,
           "\n   protected vrf: (none)\n"
           "   local  ident (addr/mask/prot/port): (%s)\n"
           "   remote ident (addr/mask/prot/port): (%s)\n"
           "   current_peer %s port %u\n"
           "     PERMIT, flags={%s}\n",
           ident_string(selector.local, selector.protocol, selector.local_port).c_str(),
           ident_string(selector.remote, selector.protocol, selector.remote_port).c_str(),
           to_string(flow.peer.address).c_str(),
           flow.peer.port == 0 ? 500U : flow.peer.port,
           flow.dynamic_map.empty() ? "origin_is_acl," : "");
}

void append_error_detail(std::string& out, const FlowCounters& counters) {
    append(out,
           "    #pkts no sa (send) %llu, #pkts invalid sa (rcv) 0\n"
           "    #pkts encaps failed (send) %llu, #pkts decaps failed (rcv) %llu\n"
           "    #pkts invalid prot (recv) 0, #pkts verify failed: %llu\n"
           "    #pkts invalid identity (recv) %llu, #pkts invalid len (rcv) %llu\n"
           "    #pkts replay rollover (send): 0, #pkts replay rollover (rcv) 0\n"
           "    ##pkts replay failed (rcv): %llu\n"
           "    #pkts tagged (send): 0, #pkts untagged (rcv): 0\n"
           "    #pkts not tagged (send): 0, #pkts not untagged (rcv): 0\n"
           "    #pkts internal err (send): 0, #pkts internal err (recv) 0\n",
           Number{counters.no_sa_send},
           Number{counters.send_errors},
           Number{counters.receive_errors},
           Number{counters.verify_failed},
           Number{counters.invalid_identity},
           Number{counters.invalid_length},
           Number{counters.replay_failed});
}

void append_counters(std::string& out, const FlowCounters& counters, const IpsecSaFilter& filter) {
    const Number encaps = counters.encaps;
    const Number decaps = counters.decaps;
    append(out,
           "    #pkts encaps: %llu, #pkts encrypt: %llu, #pkts digest: %llu\n"
           "    #pkts decaps: %llu, #pkts decrypt: %llu, #pkts verify: %llu\n"
           "    #pkts compressed: 0, #pkts decompressed: 0\n"
           "    #pkts not compressed: 0, #pkts compr. failed: 0\n"
           "    #pkts not decompressed: 0, #pkts decompress failed: 0\n",
           encaps,
           encaps,
           encaps,
           decaps,
           decaps,
           decaps);
    if (filter.detail)
        append_error_detail(out, counters);
    else
        append(out,
               "    #send errors %llu, #recv errors %llu\n",
               Number{counters.send_errors},
               Number{counters.receive_errors});
}

void append_endpoints(std::string& out, const FlowStatus& flow) {
    const ChildSa* child = current_child(flow);
    const std::uint32_t spi = child != nullptr ? child->view.outbound_spi.value : 0;
    append(out,
           "\n     local crypto endpt.: %s, remote crypto endpt.: %s\n"
           "     plaintext mtu %u, path mtu %u, ip mtu %u, ip mtu idb %s\n"
           "     current outbound spi: 0x%X(%u)\n",
           to_string(flow.local_endpoint).c_str(),
           to_string(flow.peer.address).c_str(),
           child != nullptr ? flow.plaintext_mtu : flow.path_mtu,
           flow.path_mtu,
           flow.ip_mtu,
           (flow.mtu_interface.empty() ? flow.interface : flow.mtu_interface).c_str(),
           spi,
           spi);
    if (child != nullptr && child->view.pfs)
        append(
            out, "     PFS (Y/N): Y, DH group: group%u\n", static_cast<unsigned>(*child->view.pfs));
    else
        out += "     PFS (Y/N): N, DH group: none\n";
}

void append_timing(std::string& out,
                   const Snapshot& snapshot,
                   const ChildSaView& sa,
                   const SaCounters& counters) {
    const Number seconds = seconds_between(snapshot.now, sa.expires);
    if (sa.lifetime_kilobytes == 0)
        return append(out,
                      "        sa timing: remaining key lifetime (sec): %llu\n"
                      "        Kilobyte Volume Rekey has been disabled\n",
                      seconds);
    append(out,
           "        sa timing: remaining key lifetime (k/sec): (%llu/%llu)\n",
           Number{kilobytes_left(sa, counters)},
           seconds);
}

const char* use_settings(const ChildSaView& sa) {
    if (sa.esn)
        return sa.transport ? "Transport, esn" : "Tunnel, esn";
    if (sa.udp_encapsulated)
        return sa.transport ? "Transport UDP-Encaps, " : "Tunnel UDP-Encaps, ";
    return sa.transport ? "Transport, " : "Tunnel, ";
}

void append_sa(std::string& out,
               const Snapshot& snapshot,
               const FlowStatus& flow,
               const ChildSa& child,
               Direction direction,
               const IpsecSaFilter& filter) {
    const ChildSaView& sa = child.view;
    const bool inbound = direction == Direction::Inbound;
    const std::uint32_t spi = inbound ? sa.inbound_spi.value : sa.outbound_spi.value;
    const std::uint32_t id = inbound ? sa.inbound_sa.value : sa.outbound_sa.value;
    append(out, "      spi: 0x%X(%u)\n", spi, spi);
    append(out, "        transform: %s,\n", transform_words(sa.cipher, sa.mac).c_str());
    append(out, "        in use settings ={%s}\n", use_settings(sa));
    append(out,
           "        conn id: %u, flow_id: SW:%u, sibling_flags 80000040, crypto map: %s\n",
           id,
           id > 2000 ? id - 2000 : id,
           flow.map_name.c_str());
    append_timing(out, snapshot, sa, inbound ? child.inbound : child.outbound);
    append(out, "        IV size: %u bytes\n", info(sa.cipher).iv_bytes);
    append(out, "        replay detection support: %s", sa.replay_window > 0 ? "Y" : "N");
    if (filter.detail)
        append(out, "  replay window size: %u", sa.replay_window);
    out += "\n        Status: ACTIVE(ACTIVE)\n";
}

void append_sas(std::string& out,
                const Snapshot& snapshot,
                const FlowStatus& flow,
                Direction direction,
                const IpsecSaFilter& filter) {
    const char* word = direction == Direction::Inbound ? "inbound" : "outbound";
    append(out, "\n     %s esp sas:\n", word);
    for (const ChildSa& child : flow.children)
        // While quick mode runs there is an inbound half alone.
        if (direction == Direction::Inbound || child.view.outbound_spi != Spi{})
            append_sa(out, snapshot, flow, child, direction, filter);
    append(out, "\n     %s ah sas:\n\n     %s pcp sas:\n", word, word);
}

std::string algorithm_name(EspCipher cipher) {
    switch (cipher) {
    case EspCipher::Null:
        return "NULL";
    case EspCipher::TripleDesCbc:
        return "3DES";
    default:
        return text("AES%s%u", is_combined_mode(cipher) ? "-GCM" : "", info(cipher).key_bytes * 8U);
    }
}

const char* algorithm_name(EspMac mac) {
    switch (mac) {
    case EspMac::None:
        return "";
    case EspMac::HmacSha1_96:
        return "+SHA";
    case EspMac::HmacSha256_128:
        return "+SHA256";
    case EspMac::HmacSha384_192:
        return "+SHA384";
    case EspMac::HmacSha512_256:
        return "+SHA512";
    case EspMac::HmacMd5_96:
        return "+MD5";
    }
    return "";
}

std::string algorithm_name(const ike::Phase1Policy& policy) {
    static constexpr std::array kHashNames = {"MD5", "SHA", "SHA256", "SHA384", "SHA512"};
    const unsigned bits = ike::info(policy.cipher).key_bits;
    const std::string cipher = bits == 0 ? "3DES" : text("AES%u", bits);
    return std::string{kHashNames[static_cast<std::size_t>(policy.hash)]} + "+" + cipher;
}

struct EngineRow {
    const char* type;
    std::string algorithm;
    std::uint64_t encrypted{}, decrypted{}, last_sequence{};
    Ipv4Address address;
};

/// By connection id, as the command lists them.
std::map<std::uint32_t, EngineRow> engine_rows(const Snapshot& snapshot) {
    std::map<std::uint32_t, EngineRow> rows;
    for (const ike::IsakmpSaView& sa : snapshot.isakmp)
        if (sa.policy && !sa.deleted)
            rows[sa.conn_id.value] = {"IKE", algorithm_name(*sa.policy), 0, 0, 0, sa.local.address};
    for (const FlowStatus& flow : snapshot.flows)
        for (const ChildSa& child : flow.children) {
            const ChildSaView& sa = child.view;
            const std::string algorithm = algorithm_name(sa.cipher) + algorithm_name(sa.mac);
            rows[sa.inbound_sa.value] = {"IPsec",
                                         algorithm,
                                         0,
                                         child.inbound.packets,
                                         child.inbound.sequence,
                                         sa.local.address};
            if (sa.outbound_spi != Spi{})
                rows[sa.outbound_sa.value] = {
                    "IPsec", algorithm, child.outbound.packets, 0, 0, sa.local.address};
        }
    return rows;
}

} // namespace

std::string show_ipsec_sa(const Snapshot& snapshot, const IpsecSaFilter& filter) {
    std::string out;
    const FlowStatus* before = nullptr;
    for (const FlowStatus& flow : snapshot.flows) {
        if (!matches(flow, filter))
            continue;
        if (before == nullptr || before->interface != flow.interface)
            append(out, "\ninterface: %s\n", flow.interface.c_str());
        if (before == nullptr || before->interface != flow.interface ||
            before->map_name != flow.map_name)
            append(out,
                   "    Crypto map tag: %s, local addr %s\n",
                   flow.map_name.c_str(),
                   to_string(flow.local_endpoint).c_str());
        before = &flow;
        append_identity(out, flow);
        append_counters(out, flow.counters, filter);
        append_endpoints(out, flow);
        append_sas(out, snapshot, flow, Direction::Inbound, filter);
        append_sas(out, snapshot, flow, Direction::Outbound, filter);
    }
    return before == nullptr ? "\nNo SAs found\n" : out;
}

std::string show_ipsec_sa_count(const Snapshot& snapshot) {
    Number total = 0;
    Number rekeying = 0;
    for (const FlowStatus& flow : snapshot.flows)
        for (const ChildSa& child : flow.children) {
            const Number halves = child.view.outbound_spi != Spi{} ? 2 : 1;
            total += halves;
            rekeying += child.view.dying ? halves : 0;
        }
    return text("IPsec SA total: %llu, active: %llu, rekeying: %llu, unused: 0, invalid: 0\n",
                total,
                total - rekeying,
                rekeying);
}

std::string show_transform_sets(const Snapshot& snapshot, const std::string& name) {
    std::string out;
    for (const auto& [set_name, set] : snapshot.config->transform_sets)
        if (name.empty() || name == set_name)
            append(out,
                   "Transform set %s: { %s } \n   will negotiate = { %s,  }, \n\n",
                   set_name.c_str(),
                   transform_words(set.cipher, set.mac).c_str(),
                   set.transport ? "Transport" : "Tunnel");
    return out;
}

std::string show_sa_lifetime(const Snapshot& snapshot) {
    return "Security association lifetime: " + lifetime_words(snapshot.config->sa_lifetime, {}) +
           "\n";
}

std::string show_engine_connections(const Snapshot& snapshot) {
    std::string out = "Crypto Engine Connections\n\n"
                      "   ID  Type    Algorithm           Encrypt  Decrypt LastSeqN IP-Address\n";
    for (const auto& [id, row] : engine_rows(snapshot))
        append(out,
               "%5u  %-7s %-18s%9llu%9llu%9llu %s\n",
               id,
               row.type,
               row.algorithm.c_str(),
               Number{row.encrypted},
               Number{row.decrypted},
               Number{row.last_sequence},
               to_string(row.address).c_str());
    return out;
}

} // namespace adit::cli

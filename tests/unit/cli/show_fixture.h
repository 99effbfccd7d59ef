// SPDX-License-Identifier: Apache-2.0
// One gateway with one tunnel, as the show tests print it.
#pragma once

#include "control/cli/snapshot.h"

#include <memory>
#include <string>

namespace adit::cli::test {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

inline constexpr Ipv4Address kLocal{192, 0, 2, 1};
inline constexpr Ipv4Address kPeer{192, 0, 2, 20};
inline constexpr Instant kNow{std::chrono::hours{1000}};

inline std::shared_ptr<const SecretBuffer> secret(const char* text) {
    return std::make_shared<const SecretBuffer>(as_bytes(text));
}

inline config::AclLine permit(std::uint32_t sequence, Ipv4Address source, Ipv4Address destination) {
    config::AclLine line;
    line.sequence = sequence;
    line.source = {source, Ipv4Address{0, 0, 255, 255}};
    line.destination = {destination, Ipv4Address{0, 0, 255, 255}};
    return line;
}

inline config::Config sample_config() {
    config::Config config;
    config.hostname = "gw-a";
    config.isakmp_policies[10] = {ike::CipherAlgorithm::AesCbc256,
                                  ike::HashAlgorithm::Sha256,
                                  config::AuthenticationMethod::PreShare,
                                  ike::Group::Modp2048,
                                  86'400};
    config.isakmp_keys.push_back({Ipv4Prefix{kPeer, 32}, secret("swordfish")});
    config.transform_sets["TS-A"] = {EspCipher::AesCbc256, EspMac::HmacSha256_128, false};
    config.access_lists["110"].lines.push_back(
        permit(10, Ipv4Address{10, 1, 0, 0}, Ipv4Address{10, 2, 0, 0}));
    config::CryptoMapEntry entry;
    entry.peers = {kPeer};
    entry.transform_sets = {"TS-A"};
    entry.pfs = ike::Group::Modp2048;
    entry.match_address = "110";
    config.crypto_maps["VPNMAP"][10] = entry;
    config::Interface outside;
    outside.address = kLocal;
    outside.prefix_length = 24;
    outside.crypto_map = "VPNMAP";
    config.interfaces["GigabitEthernet0/0"] = outside;
    return config;
}

/// Main mode is done; 18:51 minutes up, 23:41:09 left.
inline ike::IsakmpSaView sample_isakmp() {
    ike::IsakmpSaView sa;
    sa.conn_id = ConnId{1003};
    sa.role = ike::Role::Responder;
    sa.local = {kLocal, 500};
    sa.remote = {kPeer, 500};
    sa.state = "QM_IDLE";
    sa.established = true;
    sa.policy = ike::Phase1Policy{10,
                                  ike::CipherAlgorithm::AesCbc256,
                                  ike::HashAlgorithm::Sha256,
                                  ike::Group::Modp2048,
                                  seconds{86'400}};
    sa.created = kNow - seconds{1132};
    sa.established_at = kNow - seconds{1131};
    sa.expires = kNow + hours{23} + minutes{41} + seconds{9};
    sa.dpd = true;
    sa.peer_identity = "192.0.2.20";
    sa.connection = "VPNMAP 10";
    return sa;
}

inline TrafficSelector sample_selector() {
    TrafficSelector selector;
    selector.local = Ipv4Range::of({Ipv4Address{10, 1, 0, 0}, 16});
    selector.remote = Ipv4Range::of({Ipv4Address{10, 2, 0, 0}, 16});
    return selector;
}

inline ChildSa sample_child() {
    ChildSa child;
    child.view.inbound_sa = SaId{2003};
    child.view.outbound_sa = SaId{2004};
    child.view.inbound_spi = Spi{0x1f2e3d4c};
    child.view.outbound_spi = Spi{0x9a3c51d7};
    child.view.connection = "VPNMAP 10";
    child.view.local = {kLocal, 500};
    child.view.remote = {kPeer, 500};
    child.view.cipher = EspCipher::AesCbc256;
    child.view.mac = EspMac::HmacSha256_128;
    child.view.replay_window = 64;
    child.view.pfs = ike::Group::Modp2048;
    child.view.selector = sample_selector();
    child.view.established_at = kNow - seconds{388};
    child.view.expires = kNow + seconds{3212};
    child.view.lifetime_kilobytes = 4'608'000;
    child.view.isakmp = ConnId{1003};
    child.inbound = {198, 14 * 1024, 198, 0};
    child.outbound = {205, 15 * 1024 - 1, 205, 0};
    return child;
}

inline FlowStatus sample_flow() {
    FlowStatus flow;
    flow.interface = "GigabitEthernet0/0";
    flow.map_name = "VPNMAP";
    flow.map_sequence = 10;
    flow.connection = "VPNMAP 10";
    flow.acl_name = "110";
    flow.flow.selector = sample_selector();
    flow.flow.acl_sequence = 10;
    flow.local_endpoint = kLocal;
    flow.peer = {kPeer, 500};
    flow.counters.encaps = 1205;
    flow.counters.decaps = 1198;
    flow.counters.matches = 1205;
    flow.children = {sample_child()};
    flow.plaintext_mtu = 1438;
    return flow;
}

inline InterfaceStatus sample_interface() {
    InterfaceStatus port;
    port.name = "GigabitEthernet0/0";
    port.has_port = true;
    port.link_up = true;
    port.mac = {0x02, 0x00, 0x5e, 0x10, 0x00, 0x01};
    port.speed_mbps = 1000;
    port.in_packets = 1300;
    port.in_bytes = 170'000;
    port.in_errors = 2;
    port.in_missed = 3;
    port.in_no_buffer = 4;
    port.in_broadcasts = 5;
    port.out_packets = 1400;
    port.out_bytes = 180'000;
    port.out_errors = 6;
    return port;
}

inline Snapshot snapshot_of(config::Config config) {
    Snapshot snapshot;
    snapshot.now = kNow;
    snapshot.wall = WallTime{seconds{1'795'424'722} + std::chrono::milliseconds{117}};
    snapshot.started = kNow - hours{26} - minutes{5};
    snapshot.version = "0.1.0";
    snapshot.config = std::make_shared<const config::Config>(std::move(config));
    snapshot.dataplane_attached = true;
    snapshot.dataplane_pid = 4711;
    return snapshot;
}

inline Snapshot sample() {
    Snapshot snapshot = snapshot_of(sample_config());
    snapshot.isakmp = {sample_isakmp()};
    snapshot.flows = {sample_flow()};
    snapshot.interfaces = {sample_interface()};
    return snapshot;
}

inline Snapshot empty() {
    return snapshot_of({});
}

} // namespace adit::cli::test

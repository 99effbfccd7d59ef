// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/plan.h"

#include "tests/sim/seal.h"

#include <array>

namespace adit::sim {

namespace {

using namespace std::chrono_literals;
using ike::CipherAlgorithm;
using ike::Connection;
using ike::EngineConfig;
using ike::Group;
using ike::HashAlgorithm;

template <class T, std::size_t N> const T& one_of(const std::array<T, N>& choices, Rng& rng) {
    return choices[rng.below(N)];
}

bool in_percent(Rng& rng, std::uint32_t percent) {
    return rng.below(100) < percent;
}

constexpr std::array kIkeCiphers = {
    CipherAlgorithm::AesCbc128, CipherAlgorithm::AesCbc256, CipherAlgorithm::TripleDesCbc};
constexpr std::array kIkeHashes = {
    HashAlgorithm::Sha1, HashAlgorithm::Sha256, HashAlgorithm::Sha384, HashAlgorithm::Md5};
constexpr std::array kIkeGroups = {Group::Ecp256, Group::Ecp384, Group::Modp1536, Group::Modp2048};
constexpr std::array kEspSuites = {
    std::pair{EspCipher::AesCbc128, EspMac::HmacSha1_96},
    std::pair{EspCipher::AesCbc256, EspMac::HmacSha256_128},
    std::pair{EspCipher::AesGcm128, EspMac::None},
    std::pair{EspCipher::AesGcm256, EspMac::None},
};
/// Short enough that SAs come to their end within a life, or long.
constexpr std::array kPhase1Lifetimes = {120s, 400s, 86'400s};
constexpr std::array kPhase2Lifetimes = {120s, 200s, 3'600s};
/// The size of a packet that takes every message, one for large ones, one that few fit into.
constexpr std::array<std::optional<std::uint32_t>, 4> kFragmentationMtus = {
    std::nullopt, 1280, 576, 220};

ike::Phase1Policy draw_policy(std::uint32_t priority, Rng& rng) {
    return {.priority = priority,
            .cipher = one_of(kIkeCiphers, rng),
            .hash = one_of(kIkeHashes, rng),
            .group = one_of(kIkeGroups, rng),
            .lifetime = one_of(kPhase1Lifetimes, rng)};
}

ike::Phase2Transform draw_transform(Rng& rng) {
    const auto& [cipher, mac] = one_of(kEspSuites, rng);
    return {.name = "TS", .cipher = cipher, .mac = mac, .esn = in_percent(rng, 30)};
}

/// What both ends of all tunnels have in common, so that they can agree.
struct Terms {
    ike::Phase1Policy policy;
    ike::Phase2Transform transform;
    std::optional<Group> pfs;
    Duration lifetime{};
    ike::Dpd dpd;
    std::uint32_t flows{};
    bool aggressive{false}; // allowed; who uses it is drawn for each side
    bool clients{false};    // come to the hub
    bool dynamic{false};    // the hub takes spokes as they come, by a dynamic entry
    bool parts{false};      // one side of a tunnel has lines for parts of the other's, too

    [[nodiscard]] bool is_signed() const {
        return policy.authentication != ike::Authentication::PreSharedKey;
    }
};

constexpr const char* kProfile = "EVERYBODY"; // which aggressive mode by signatures goes by

Terms draw_terms(Topology topology, Rng& rng) {
    Terms terms;
    terms.policy = draw_policy(10, rng);
    terms.transform = draw_transform(rng);
    if (in_percent(rng, 40))
        terms.pfs = one_of(kIkeGroups, rng);
    terms.lifetime = one_of(kPhase2Lifetimes, rng);
    terms.dpd = {10s, 3s, in_percent(rng, 30)};
    terms.flows = 1 + rng.below(3);
    terms.aggressive = in_percent(rng, 30);
    if (in_percent(rng, 25))
        terms.policy.authentication = ike::Authentication::RsaSignature;
    terms.clients = !terms.aggressive && !terms.is_signed() && in_percent(rng, 30);
    // Two behind one address would claim the same flow.
    if (topology != Topology::SpokesBehindNat && in_percent(rng, 20)) {
        terms.transform.transport = true;
        terms.transform.transport_required = in_percent(rng, 50);
        terms.flows = 1;
    }
    terms.clients = terms.clients && !terms.transform.transport; // whose sets are for tunnels
    terms.dynamic = in_percent(rng, 25);
    terms.parts = !terms.dynamic && !terms.transform.transport && in_percent(rng, 30);
    return terms;
}

/// What one side adds of its own.
EngineConfig draw_base(const Terms& terms, Ipv4Address own, Rng& rng) {
    EngineConfig config;
    config.credentials = sealed_by(own);
    // RFC 2409 5.4: aggressive mode cannot negotiate the group.
    if (in_percent(rng, 30) && !terms.aggressive)
        config.phase1.push_back(draw_policy(5, rng));
    config.phase1.push_back(terms.policy);
    if (terms.aggressive)
        config.aggressive = ike::AggressiveMode::Enabled;
    if (terms.aggressive && terms.is_signed())
        config.profiles.push_back({.name = kProfile,
                                   .matches = {{.kind = ike::IdentityMatch::Kind::Any}},
                                   .initiate_aggressive = in_percent(rng, 60)});
    config.dpd = terms.dpd;
    config.fragmentation_mtu = one_of(kFragmentationMtus, rng);
    return config;
}

Ipv4Prefix network_of(std::uint32_t place, std::uint32_t flow) {
    return {{10, static_cast<std::uint8_t>(place + 1), static_cast<std::uint8_t>(flow), 0}, 24};
}

Connection connection_of(const Terms& terms, std::uint32_t tunnel, Rng& rng) {
    Connection connection;
    connection.map_name = "VPNMAP";
    connection.map_sequence = 10 * (tunnel + 1);
    connection.name = "VPNMAP " + std::to_string(connection.map_sequence);
    if (in_percent(rng, 30) && !terms.transform.transport)
        connection.transforms.push_back(draw_transform(rng));
    connection.transforms.push_back(terms.transform);
    connection.pfs = terms.pfs;
    connection.lifetime = terms.lifetime;
    connection.acl_name = "101";
    return connection;
}

constexpr std::uint32_t kMaxFlows = 10; // of one tunnel

/// Half of each network, or one service between them.
TrafficSelector part_of(TrafficSelector line, std::uint32_t flow) {
    constexpr std::uint32_t kHalf = 128;
    if (flow % 2 == 0) {
        line.local.last.value -= kHalf;
        line.remote.last.value -= kHalf;
        return line;
    }
    line.protocol = 6;
    line.remote_port = {443, 443};
    return line;
}

/// Before the lines that hold them.
void add_parts(Connection& connection) {
    const std::vector<ike::Flow> lines = connection.flows;
    for (std::uint32_t i = 0; i < lines.size(); ++i)
        connection.flows.insert(connection.flows.begin() + i,
                                {PolicyId{lines[i].policy.value + kMaxFlows / 2},
                                 part_of(lines[i].selector, i),
                                 i + 1});
}

void add_flows(Connection& connection,
               const Terms& terms,
               std::uint32_t tunnel,
               std::uint32_t here,
               std::uint32_t there) {
    for (std::uint32_t i = 0; i < terms.flows; ++i) {
        TrafficSelector selector;
        if (terms.transform.transport)
            selector = {Ipv4Range::host(connection.local),
                        Ipv4Range::host(connection.peers.front())};
        else
            selector = {Ipv4Range::of(network_of(here, i)), Ipv4Range::of(network_of(there, i))};
        connection.flows.push_back({PolicyId{tunnel * kMaxFlows + i}, selector, 10 * (i + 1)});
    }
}

std::shared_ptr<const SecretBuffer> key_of(const std::string& text) {
    return std::make_shared<const SecretBuffer>(as_bytes(text));
}

Ipv4Address seen_address(const Place& place) {
    return place.behind_nat ? kNatOutside : place.address;
}

void connect(Plan& plan, std::uint32_t spoke, const Terms& terms, Rng& rng) {
    const std::uint32_t tunnel = spoke - 1;
    // Two behind one address can only have one key there.
    const auto key = key_of(plan.topology == Topology::SpokesBehindNat
                                ? "shared"
                                : "key of tunnel " + std::to_string(tunnel));
    // Of two behind one address the hub cannot tell which to ask for what only it wants.
    const bool by_hub = in_percent(rng, 50) && plan.topology != Topology::SpokesBehindNat;
    const std::uint32_t narrow = by_hub ? 0 : spoke;
    const auto add = [&](std::uint32_t here, std::uint32_t there) {
        Place& place = plan.places[here];
        const Ipv4Address peer = seen_address(plan.places[there]);
        Connection connection = connection_of(terms, tunnel, rng);
        connection.local = place.address;
        connection.peers = {peer};
        add_flows(connection, terms, tunnel, here, there);
        if (terms.parts && here == narrow)
            add_parts(connection);
        if (!terms.dynamic || here != 0)
            place.config.connections.push_back(std::move(connection));
        place.config.keys.push_back({.peer = {peer, 32}, .key = key, .no_xauth = true});
        if (terms.aggressive && !terms.is_signed() && in_percent(rng, 60))
            place.config.aggressive_peers.push_back({peer, key, {}});
        if (terms.aggressive && terms.is_signed() && !place.config.connections.empty())
            place.config.connections.back().profile = kProfile;
    };
    add(0, spoke);
    add(spoke, 0);
}

/// For spokes as they come, and for clients; with or without a list that bounds what they claim.
void add_dynamic_entry(Place& hub, const Terms& terms, Rng& rng) {
    Connection entry = connection_of(terms, kMaxFlows, rng);
    entry.name = "VPNMAP 65535 dynamic DYN 10";
    entry.local = hub.address;
    entry.acl_name.clear();
    entry.dynamic = ike::DynamicEntry{"DYN", 10};
    if (in_percent(rng, 50) && !terms.transform.transport) {
        entry.acl_name = "102";
        const TrafficSelector anything{Ipv4Range::of({{}, 0}), Ipv4Range::of({{10, 0, 0, 0}, 8})};
        entry.flows = {{PolicyId{kMaxFlows * kMaxFlows}, anything, 10}};
    }
    if (terms.aggressive && terms.is_signed())
        entry.profile = kProfile;
    if (terms.clients) { // who have one offer, without PFS
        entry.transforms.push_back({"CLIENTS", EspCipher::AesCbc256, EspMac::HmacSha256_128});
        entry.pfs.reset();
    }
    hub.config.own_addresses = {hub.address};
    hub.config.connections.push_back(std::move(entry));
}

/// Who logs in gets an address of a small pool, asked for or not.
void let_clients_in(EngineConfig& config, Ipv4Address local, Rng& rng) {
    static const ike::PasswordHash hash = [] {
        test::SeededRng salt{1};
        return ike::hash_password(as_bytes(kClientPassword), salt);
    }();
    config.phase1.push_back({.priority = 20,
                             .cipher = CipherAlgorithm::AesCbc256,
                             .hash = HashAlgorithm::Sha256,
                             .group = Group::Ecp256,
                             .xauth = true});
    config.keys.push_back({.peer = {kClientAddress, 32}, .key = key_of(kClientKey)});
    config.users = {{kClientUser, hash}};
    config.pools = {{"P", {Ipv4Address{10, 9, 0, 1}, Ipv4Address{10, 9, 0, 2}}}};
    ike::ClientGroup group;
    group.name = "default";
    group.pool = "P";
    config.groups = {{"default", group}};
    config.access[local] = {.login = true,
                            .users_known = true,
                            .groups_known = true,
                            .respond = true,
                            .initiate = in_percent(rng, 50)};
}

test::Weather draw_weather(Rng& rng) {
    return {.loss_percent = rng.below(31),
            .double_percent = rng.below(21),
            .delay_ms = 1 + rng.below(50),
            .jitter_ms = rng.below(500),
            .damage_percent = in_percent(rng, 30) ? rng.below(6) : 0};
}

} // namespace

Plan draw_plan(Rng& rng) {
    Plan plan;
    plan.topology = static_cast<Topology>(rng.below(static_cast<std::uint32_t>(Topology::Count_)));
    const bool hub =
        plan.topology == Topology::HubAndSpokes || plan.topology == Topology::SpokesBehindNat;
    const bool nat =
        plan.topology == Topology::PairBehindNat || plan.topology == Topology::SpokesBehindNat;
    const Terms terms = draw_terms(plan.topology, rng);
    plan.places.push_back({"hub", {192, 0, 2, 1}, false, draw_base(terms, {192, 0, 2, 1}, rng)});
    const std::uint8_t spokes = hub ? 2 : 1;
    for (std::uint8_t i = 1; i <= spokes; ++i) {
        const auto last = static_cast<std::uint8_t>(10 + i);
        const Ipv4Address own =
            nat ? Ipv4Address{192, 168, 7, last} : Ipv4Address{203, 0, 113, last};
        plan.places.push_back({"spoke" + std::to_string(i), own, nat, draw_base(terms, own, rng)});
        connect(plan, i, terms, rng);
    }
    if (terms.dynamic || terms.clients)
        add_dynamic_entry(plan.places.front(), terms, rng);
    if (terms.clients)
        let_clients_in(plan.places.front().config, plan.places.front().address, rng);
    plan.weather = draw_weather(rng);
    plan.true_arithmetic = in_percent(rng, 2);
    return plan;
}

EngineConfig with_other_transforms(EngineConfig config) {
    for (Connection& connection : config.connections)
        connection.transforms = {{"OTHER", EspCipher::AesCbc192, EspMac::HmacSha512_256}};
    return config;
}

EngineConfig with_other_policy(EngineConfig config) {
    config.phase1 = {{.priority = 10,
                      .cipher = CipherAlgorithm::AesCbc192,
                      .hash = HashAlgorithm::Sha512,
                      .group = Group::Ecp256}};
    return config;
}

EngineConfig with_other_key(EngineConfig config) {
    for (ike::PresharedKey& key : config.keys)
        key.key = key_of("mistyped");
    for (ike::AggressivePeer& peer : config.aggressive_peers)
        peer.key = key_of("mistyped");
    return config;
}

EngineConfig with_other_pfs(EngineConfig config) {
    for (Connection& connection : config.connections)
        connection.pfs = connection.pfs ? std::nullopt : std::optional{Group::Ecp256};
    return config;
}

EngineConfig without_last_flows(EngineConfig config) {
    for (Connection& connection : config.connections)
        if (!connection.flows.empty())
            connection.flows.pop_back();
    return config;
}

} // namespace adit::sim

// SPDX-License-Identifier: Apache-2.0
// Gateways made of real engines on a network made of a queue: virtual time, seeded loss, doubling
// and delay. Everything an engine asks for is carried out: datagrams travel, Diffie-Hellman jobs
// are computed, SAs are "installed" into a table that can be compared with the other side's.
//
// Threading: one thread; values. Every run is a function of its seed.
#pragma once

#include "common/error.h"
#include "control/ike/engine.h"
#include "control/ike/keymat.h"
#include "control/ike/wire.h"
#include "tests/support/seeded_rng.h"

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace adit::test {

class CountingSpis final : public ike::SpiAllocator {
  public:
    std::optional<Spi> allocate(PolicyId) override {
        if (in_use_ == limit)
            return std::nullopt;
        ++in_use_;
        return Spi{next_++};
    }

    void release(Spi) override { --in_use_; }

    [[nodiscard]] std::size_t in_use() const { return in_use_; }

    std::size_t limit{1'000'000};

  private:
    std::uint32_t next_{0x10000001};
    std::size_t in_use_{0};
};

/// Numbers of policies made at run time, from 1000 up.
class CountingPolicies final : public ike::PolicyAllocator {
  public:
    std::optional<PolicyId> allocate() override {
        if (in_use_.size() == limit)
            return std::nullopt;
        in_use_.insert(next_);
        return PolicyId{next_++};
    }

    void release(PolicyId policy) override { ENSURE(in_use_.erase(policy.value) == 1); }

    [[nodiscard]] std::size_t in_use() const { return in_use_.size(); }

    std::size_t limit{1'000'000};

  private:
    std::uint32_t next_{1000};
    std::set<std::uint32_t> in_use_;
};

/// One direction as the dataplane would hold it.
struct InstalledSa {
    Spi spi;
    bool inbound{};
    PolicyId policy;
    EspCipher cipher{};
    EspMac mac{};
    TrafficSelector selector;
    Endpoint local, remote;
    Bytes key;
    Bytes mac_key;
    bool esn{};
    bool transport{};
    Ipv4Address original_local, original_remote;
};

struct Gateway {
    Gateway(std::string its_name,
            Ipv4Address its_address,
            ike::EngineConfig its_config,
            std::uint64_t seed)
        : name(std::move(its_name)), address(its_address), config(std::move(its_config)), rng(seed),
          engine(std::make_shared<const ike::EngineConfig>(config), rng, spis, policies) {}

    std::string name;
    Ipv4Address address;
    ike::EngineConfig config;
    SeededRng rng;
    CountingSpis spis;
    CountingPolicies policies;
    ike::Engine engine;
    std::map<SaId, InstalledSa> installed;
    std::map<PolicyId, TrafficSelector> installed_policies; // made at run time
    std::vector<std::string> log;
    std::vector<std::string> debug;
    std::vector<std::string> exported;

    [[nodiscard]] std::uint64_t failures(ike::Failure failure) const {
        return engine.counters().failures.at(static_cast<std::size_t>(failure));
    }

    /// Any log line that holds all these words.
    [[nodiscard]] bool logged(std::initializer_list<const char*> words) const {
        return std::ranges::any_of(log, [&](const std::string& line) {
            return std::ranges::all_of(
                words, [&](const char* word) { return line.find(word) != std::string::npos; });
        });
    }

    [[nodiscard]] bool is_empty() const {
        return engine.isakmp_sas().empty() && engine.child_sas().empty() && installed.empty() &&
               spis.in_use() == 0 && installed_policies.empty() && policies.in_use() == 0 &&
               !engine.next_deadline();
    }
};

struct Weather {
    std::uint32_t loss_percent{0};
    std::uint32_t double_percent{0};
    std::uint32_t delay_ms{1};  // fixed part
    std::uint32_t jitter_ms{0}; // more than the gap between datagrams reorders them
    /// IKEv1 acknowledges no delete: where one is lost, the sides differ until the SA's end. Scenes
    /// that are about agreement do without that.
    bool spare_informational{false};
};

class Network {
  public:
    explicit Network(std::uint64_t seed, Weather weather = {}) : rng_(seed), weather_(weather) {}

    Gateway&
    add(std::string name, Ipv4Address address, ike::EngineConfig config, std::uint64_t seed) {
        gateways_.push_back(
            std::make_unique<Gateway>(std::move(name), address, std::move(config), seed));
        return *gateways_.back();
    }

    void set_weather(Weather weather) { weather_ = weather; }

    /// Sees every datagram before it travels; false takes it out.
    std::function<bool(const ike::SendDatagram&)> tap;

    void give(Gateway& gateway, ike::Event event) {
        carry_out(gateway, gateway.engine.handle(std::move(event), now_));
    }

    [[nodiscard]] Instant now() const { return now_; }

    /// Until nothing but timers beyond `limit` is left.
    void run_for(Duration limit) {
        const Instant end = now_ + limit;
        while (step_until(end)) {
        }
        now_ = end;
    }

    void give_datagram(Gateway& to, Endpoint from, std::uint16_t port, Bytes payload) {
        give(to,
             ike::DatagramReceived{
                 {to.address, port},
                 from, std::move(payload)
        });
    }

  private:
    struct Pending {
        Instant at;
        std::uint64_t order;
        Gateway* to;
        ike::Event event;
    };

    bool step_until(Instant end) {
        const auto pending = std::ranges::min_element(
            pending_, {}, [](const Pending& each) { return std::pair{each.at, each.order}; });
        Gateway* timer = nullptr;
        Instant due = pending == pending_.end() ? end : pending->at;
        for (const auto& gateway : gateways_)
            if (const auto deadline = gateway->engine.next_deadline();
                deadline && *deadline < due) {
                due = *deadline;
                timer = gateway.get();
            }
        if (due > end || (timer == nullptr && pending == pending_.end()))
            return false;
        now_ = std::max(now_, due);
        if (timer != nullptr) {
            carry_out(*timer, timer->engine.advance(now_));
            return true;
        }
        if (due >= end)
            return false;
        Pending next = std::move(*pending);
        pending_.erase(pending);
        give(*next.to, std::move(next.event));
        return true;
    }

    void carry_out(Gateway& gateway, ike::Actions actions) {
        for (ike::Action& action : actions)
            std::visit([&](auto& wanted) { act(gateway, wanted); }, action);
    }

    void act(Gateway&, ike::SendDatagram& send) {
        if (tap && !tap(send))
            return;
        const unsigned copies = rng_.below(100) < weather_.double_percent ? 2 : 1;
        for (unsigned copy = 0; copy < copies; ++copy) {
            const bool spared =
                weather_.spare_informational &&
                ike::parse_header(send.payload)->exchange == ike::ExchangeType::Informational;
            if (rng_.below(100) < weather_.loss_percent && !spared)
                continue;
            const Duration delay = std::chrono::milliseconds{
                weather_.delay_ms + (weather_.jitter_ms == 0 ? 0 : rng_.below(weather_.jitter_ms))};
            for (const auto& gateway : gateways_)
                if (gateway->address == send.remote.address)
                    schedule(*gateway,
                             delay,
                             ike::DatagramReceived{send.remote, send.local, send.payload});
        }
    }

    void act(Gateway&, ike::SendNatKeepalive&) { ++keepalives; }

    void act(Gateway& gateway, ike::StartJob& start) {
        schedule(gateway,
                 std::chrono::milliseconds{1},
                 ike::JobFinished{ike::run(start.job, gateway.rng)});
    }

    void act(Gateway& gateway, ike::AddPolicyAction& add) {
        const bool fresh = gateway.installed_policies.emplace(add.policy, add.selector).second;
        ENSURE(fresh);
    }

    /// The dataplane lets go at once.
    void act(Gateway& gateway, ike::RemovePolicyAction& remove) {
        ENSURE(gateway.installed_policies.erase(remove.policy) == 1);
        for (const auto& [id, sa] : gateway.installed)
            ENSURE(sa.policy != remove.policy);
        gateway.policies.release(remove.policy);
    }

    void act(Gateway& gateway, ike::InstallSaAction& install) {
        gateway.installed[install.sa] = {install.spi,
                                         install.inbound,
                                         install.policy,
                                         install.cipher,
                                         install.mac,
                                         install.selector,
                                         install.local,
                                         install.remote,
                                         to_bytes(install.key.view()),
                                         to_bytes(install.mac_key.view()),
                                         install.esn,
                                         install.transport,
                                         install.original_local,
                                         install.original_remote};
    }

    void act(Gateway& gateway, ike::RemoveSaAction& remove) { gateway.installed.erase(remove.sa); }

    void act(Gateway& gateway, ike::Log& line) { gateway.log.push_back(format(line.record)); }

    void act(Gateway& gateway, ike::Debug& line) { gateway.debug.push_back(line.text); }

    void act(Gateway& gateway, ike::ExportKeys& keys) { gateway.exported.push_back(keys.line); }

    void schedule(Gateway& to, Duration delay, ike::Event event) {
        pending_.push_back({now_ + delay, order_++, &to, std::move(event)});
    }

    SeededRng rng_;
    Weather weather_;
    Instant now_{std::chrono::hours{1}};
    std::uint64_t order_{0};
    std::vector<std::unique_ptr<Gateway>> gateways_;
    std::vector<Pending> pending_;

  public:
    std::size_t keepalives{0};
};

// --- ready-made configurations
// ------------------------------------------------------------------------

inline constexpr Ipv4Address kLeft{192, 0, 2, 1};
inline constexpr Ipv4Address kRight{192, 0, 2, 20};

inline std::shared_ptr<const SecretBuffer> secret(const char* text) {
    return std::make_shared<const SecretBuffer>(as_bytes(text));
}

inline Ipv4Range range(const char* prefix) {
    return Ipv4Range::of(*parse_ipv4_prefix(prefix));
}

/// One gateway's view of a tunnel: `local` behind it, `remote` behind `peer`.
inline ike::EngineConfig
gateway_config(Ipv4Address own, Ipv4Address peer, const char* local, const char* remote) {
    ike::EngineConfig config;
    config.phase1 = {
        {10,
         ike::CipherAlgorithm::AesCbc256,
         ike::HashAlgorithm::Sha256,
         ike::Group::Ecp256,
         std::chrono::seconds{86'400}}
    };
    config.keys = {
        {{peer, 32}, secret("correct horse battery")}
    };
    ike::Connection connection;
    connection.name = "VPNMAP 10";
    connection.map_name = "VPNMAP";
    connection.map_sequence = 10;
    connection.local = own;
    connection.peers = {peer};
    connection.transforms = {
        {"TS", EspCipher::AesCbc256, EspMac::HmacSha256_128, false}
    };
    connection.acl_name = "101";
    connection.flows = {
        {PolicyId{0}, {range(local), range(remote), 0, {}, {}}, 10}
    };
    config.connections = {connection};
    return config;
}

inline ike::EngineConfig left_config() {
    return gateway_config(kLeft, kRight, "10.1.0.0/16", "10.2.0.0/16");
}

inline ike::EngineConfig right_config() {
    return gateway_config(kRight, kLeft, "10.2.0.0/16", "10.1.0.0/16");
}

inline ike::Initiate initiate(PolicyId policy = PolicyId{0}) {
    return {"VPNMAP 10", policy, ike::Initiate::Cause::Traffic};
}

} // namespace adit::test

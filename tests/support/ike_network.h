// SPDX-License-Identifier: Apache-2.0
// Gateways on a network made of a queue: virtual time, seeded weather, address translators in the
// path. Everything an engine asks for is carried out: datagrams travel, slow arithmetic is done,
// SAs are "installed".
//
// Threading: one thread; values. Every run is a function of its seed.
#pragma once

#include "control/ike/keymat.h"
#include "control/ike/wire.h"
#include "tests/support/ike_configs.h"
#include "tests/support/ike_gateway.h"
#include "tests/support/nat.h"

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace adit::test {

struct Weather {
    std::uint32_t loss_percent{0};
    std::uint32_t double_percent{0};
    std::uint32_t delay_ms{1};       // fixed part
    std::uint32_t jitter_ms{0};      // more than the gap between datagrams reorders them
    std::uint32_t damage_percent{0}; // a bit turned over, or the end cut off
};

/// What the weather has done to datagrams.
struct Damage {
    std::uint64_t carried{0}, lost{0}, doubled{0}, damaged{0}, undeliverable{0};

    Damage& operator+=(const Damage& other) {
        carried += other.carried;
        lost += other.lost;
        doubled += other.doubled;
        damaged += other.damaged;
        undeliverable += other.undeliverable;
        return *this;
    }
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

    /// A translator in front of the gateways with private addresses given to it.
    Nat& add_nat(Ipv4Address outside) {
        nats_.push_back(std::make_unique<Nat>(outside));
        return *nats_.back();
    }

    void set_weather(Weather weather) { weather_ = weather; }

    [[nodiscard]] const Damage& damage() const { return damage_; }

    // --- hooks

    /// Sees every datagram before it travels, and may change it; false takes it out.
    std::function<bool(ike::SendDatagram&)> tap;
    /// Does the slow arithmetic; nothing: the job is lost.
    std::function<std::optional<ike::JobResult>(Gateway&, const ike::Job&)> work =
        [](Gateway& gateway, const ike::Job& job) { return ike::run(job, gateway.rng); };
    /// How long that takes.
    std::function<Duration()> work_time = [] { return std::chrono::milliseconds{1}; };
    /// Before it takes effect; false: the dataplane refuses.
    std::function<bool(Gateway&, const ike::InstallSaAction&)> on_install;
    /// How many of these actions a gateway lives to carry out: it is killed before the next one.
    std::function<std::size_t(Gateway&, std::size_t actions)> dies;
    /// One line for each thing that happens.
    std::function<void(const std::string&)> trace;

    // --- time

    [[nodiscard]] Instant now() const { return now_; }

    [[nodiscard]] Instant now(const Gateway& gateway) const { return now_ + gateway.ahead; }

    /// Until nothing but timers beyond `limit` is left.
    void run_for(Duration limit) {
        const Instant end = now_ + limit;
        while (step_until(end)) {
        }
        now_ = end;
    }

    void after(Duration delay, std::function<void()> happening) {
        pending_.emplace(std::pair{now_ + delay, order_++}, std::move(happening));
    }

    // --- what happens to gateways

    void give(Gateway& gateway, ike::Event event) {
        carry_out(gateway, gateway.engine.handle(std::move(event), now(gateway)));
    }

    /// Its process is killed and comes back.
    void restart(Gateway& gateway) {
        if (trace)
            trace(gateway.name + " is killed and goes on");
        Gateway::Missing missing = gateway.resume(now(gateway));
        for (const auto& [sa, install] : missing.unanswered)
            if (gateway.installed.contains(sa))
                give(gateway, ike::InstallFinished{sa, true, {}});
        for (const SaId sa : missing.sas)
            if (const auto install = missing.unanswered.find(sa);
                install != missing.unanswered.end())
                act(gateway, install->second);
            else
                give(gateway, ike::InstallFinished{sa, false, "nobody knows its keys"});
    }

    void give_datagram(Gateway& to, Endpoint from, std::uint16_t port, Bytes payload) {
        give(to, ike::DatagramReceived{{to.address, port}, from, std::move(payload)});
    }

    using Arrival = std::function<void(Gateway& to, Endpoint local, Endpoint remote)>;

    /// Takes something from a gateway through the weather to wherever `target` leads when it
    /// arrives.
    void carry(const Gateway& from, Endpoint source, Endpoint target, const Arrival& arrive) {
        ++damage_.carried;
        for (const auto& nat : nats_)
            if (nat->hides(from.address))
                source = nat->outwards(source);
        const unsigned copies = rng_.below(100) < weather_.double_percent ? 2 : 1;
        damage_.doubled += copies - 1;
        for (unsigned copy = 0; copy < copies; ++copy) {
            if (rng_.below(100) < weather_.loss_percent) {
                ++damage_.lost;
                continue;
            }
            const Duration delay = std::chrono::milliseconds{
                weather_.delay_ms + (weather_.jitter_ms == 0 ? 0 : rng_.below(weather_.jitter_ms))};
            after(delay, [this, source, target, arrive] { deliver(source, target, arrive); });
        }
    }

    template <class Visit> void for_each_gateway(const Visit& visit) const {
        for (const auto& gateway : gateways_)
            visit(*gateway);
    }

  private:
    bool step_until(Instant end) {
        Gateway* timer = nullptr;
        Instant due = pending_.empty() ? end : pending_.begin()->first.first;
        for (const auto& gateway : gateways_)
            if (const auto deadline = gateway->engine.next_deadline();
                deadline && *deadline - gateway->ahead < due) {
                due = *deadline - gateway->ahead;
                timer = gateway.get();
            }
        if (due > end || (timer == nullptr && pending_.empty()))
            return false;
        now_ = std::max(now_, due);
        if (timer != nullptr) {
            carry_out(*timer, timer->engine.advance(now(*timer)));
            return true;
        }
        if (due >= end)
            return false;
        const auto happening = std::move(pending_.begin()->second);
        pending_.erase(pending_.begin());
        happening();
        return true;
    }

    void deliver(Endpoint source, Endpoint target, const Arrival& arrive) {
        for (const auto& nat : nats_)
            if (nat->outside() == target.address) {
                const auto inside = nat->inwards(target);
                if (!inside) {
                    ++damage_.undeliverable;
                    return;
                }
                target = *inside;
            }
        for (const auto& gateway : gateways_)
            if (gateway->address == target.address)
                return arrive(*gateway, target, source);
        ++damage_.undeliverable;
    }

    void carry_out(Gateway& gateway, ike::Actions actions) {
        gateway.write_down(actions);
        const std::size_t most = dies ? dies(gateway, actions.size()) : actions.size();
        for (std::size_t i = 0; i < std::min(most, actions.size()); ++i)
            std::visit([&](auto& wanted) { act(gateway, wanted); }, actions[i]);
        if (most < actions.size())
            restart(gateway);
    }

    void act(Gateway& gateway, ike::SendDatagram& send) {
        if (tap && !tap(send))
            return;
        if (trace)
            trace(gateway.name + " sends " + describe(send));
        carry(gateway,
              send.local,
              send.remote,
              [this,
               payload = std::move(send.payload)](Gateway& to, Endpoint local, Endpoint remote) {
                  Bytes copy = payload;
                  spoil(copy);
                  if (trace)
                      trace(to.name + " receives " + describe({local, remote, copy}));
                  give(to, ike::DatagramReceived{local, remote, std::move(copy)});
              });
    }

    void spoil(Bytes& payload) {
        if (rng_.below(100) >= weather_.damage_percent || payload.empty())
            return;
        ++damage_.damaged;
        const std::uint32_t place = rng_.below(static_cast<std::uint32_t>(payload.size()));
        if (rng_.below(2) == 0)
            payload.resize(place);
        else
            payload[place] ^= static_cast<std::uint8_t>(1U << rng_.below(8));
    }

    void act(Gateway& gateway, ike::SendNatKeepalive& send) {
        ++keepalives;
        carry(gateway, send.local, send.remote, [](Gateway&, Endpoint, Endpoint) {});
    }

    void act(Gateway& gateway, ike::StartJob& start) {
        std::optional<ike::JobResult> result = work(gateway, start.job);
        if (!result)
            return;
        // Functions are copied, results are not.
        auto shared = std::make_shared<ike::JobResult>(std::move(*result));
        after(work_time(), [this, &gateway, process = gateway.processes, shared] {
            if (gateway.processes == process)
                give(gateway, ike::JobFinished{std::move(*shared)});
        });
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
        if (trace)
            trace(gateway.name + " installs " + (install.inbound ? "inbound " : "outbound ") +
                  std::to_string(install.spi.value) + " of policy " +
                  std::to_string(install.policy.value) + " towards " + to_string(install.remote));
        if (on_install && !on_install(gateway, install)) {
            after(std::chrono::milliseconds{1},
                  [this, &gateway, process = gateway.processes, sa = install.sa] {
                      if (gateway.processes == process)
                          give(gateway, ike::InstallFinished{sa, false, "no room"});
                  });
            return;
        }
        after(Duration::zero(), [this, &gateway, process = gateway.processes, sa = install.sa] {
            if (gateway.processes == process)
                give(gateway, ike::InstallFinished{sa, true, {}});
        });
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

    void act(Gateway& gateway, ike::RemoveSaAction& remove) {
        if (trace)
            trace(gateway.name + " removes " + (remove.inbound ? "inbound " : "outbound ") +
                  std::to_string(remove.spi.value));
        gateway.installed.erase(remove.sa);
    }

    void act(Gateway& gateway, ike::Log& line) {
        gateway.log.push_back(format(line.record));
        if (trace)
            trace(gateway.name + " logs " + gateway.log.back());
    }

    void act(Gateway& gateway, ike::Debug& line) {
        if (trace)
            trace(gateway.name + " " + line.text);
        gateway.debug.push_back(line.text);
    }

    void act(Gateway& gateway, ike::ExportKeys& keys) { gateway.exported.push_back(keys.line); }

    static std::string describe(const ike::SendDatagram& datagram) {
        const auto header = ike::parse_header(datagram.payload);
        return (header
                    ? ike::name(header->exchange) + " " + std::to_string(header->message_id.value)
                    : std::string{"rubbish"}) +
               ", " + std::to_string(datagram.payload.size()) + " octets, " +
               to_string(datagram.local) + " and " + to_string(datagram.remote);
    }

    SeededRng rng_;
    Weather weather_;
    Damage damage_;
    Instant now_{std::chrono::hours{1}};
    std::uint64_t order_{0};
    std::vector<std::unique_ptr<Gateway>> gateways_;
    std::vector<std::unique_ptr<Nat>> nats_;
    std::map<std::pair<Instant, std::uint64_t>, std::function<void()>> pending_;

  public:
    std::size_t keepalives{0};
};

} // namespace adit::test

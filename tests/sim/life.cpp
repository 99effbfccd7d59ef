// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/life.h"

#include "control/ike/message.h"
#include "control/ike/payload_notify.h"
#include "control/ike/peer_policy.h"

#include <algorithm>

namespace adit::sim {

using test::Gateway;
using namespace std::chrono_literals;

namespace {

constexpr std::uint32_t kTroubles = 8;               // at most, in one life
constexpr std::uint32_t kPauseMilliseconds = 15'000; // at most, between two
/// Traffic must flow again this long after all faults have ceased.
constexpr Duration kRecovery = 60s;
/// Then every packet must arrive.
constexpr Duration kProof = 15s;
/// The longest that anything outlives a shutdown: a stranger's half-open entry, or an exchange that
/// a late datagram began.
constexpr Duration kSettle = 140s;

constexpr std::size_t kFlagsAt = 19; // of the ISAKMP header (RFC 2408 3.1)

/// Seeds lie close together; what is drawn from them must not.
std::uint64_t spread(std::uint64_t seed) {
    return seed * 0x9e3779b97f4a7c15ULL + 1;
}

} // namespace

Tally& Tally::operator+=(const Tally& other) {
    coverage += other.coverage;
    std::ranges::transform(faults, other.faults, faults.begin(), std::plus{});
    damage += other.damage;
    phase1 += other.phase1;
    phase2 += other.phase2;
    packets += other.packets;
    unknown_spis += other.unknown_spis;
    return *this;
}

// --- what may happen ----------------------------------------------------------------------------

struct Life::Trouble {
    Fault fault;
    const char* name;
    std::uint32_t weight;
    void (*happen)(Life&, Gateway&);
};

std::span<const Life::Trouble> Life::troubles() {
    // clang-format off
    static constexpr std::array kTable = {
        Trouble{Fault::Initiate, "initiations", 4, [](Life& life, Gateway& at) { life.initiate(at); }},
        Trouble{Fault::InitiateBoth, "initiations of both sides at once", 8, [](Life& life, Gateway& at) { life.initiate_both(at); }},
        Trouble{Fault::SoftLimit, "soft limits", 4, [](Life& life, Gateway& at) { life.reach_limit(at, false); }},
        Trouble{Fault::HardLimit, "hard limits", 2, [](Life& life, Gateway& at) { life.reach_limit(at, true); }},
        Trouble{Fault::ClearPhase1, "clears of ISAKMP SAs", 3, [](Life& life, Gateway& at) { life.network_.give(at, ike::ClearPhase1{}); }},
        Trouble{Fault::ClearPhase2, "clears of IPsec SAs", 3, [](Life& life, Gateway& at) { life.network_.give(at, ike::ClearPhase2{}); }},
        Trouble{Fault::Crash, "crashes", 4, [](Life&, Gateway& at) { at.crash(); }},
        Trouble{Fault::ClockJump, "clock jumps", 2, [](Life& life, Gateway& at) { life.jump(at); }},
        Trouble{Fault::Rebinding, "NAT rebindings", 4, [](Life& life, Gateway&) { if (life.nat_ != nullptr) life.nat_->rebind(); }},
        Trouble{Fault::Blackout, "blackouts", 2, [](Life& life, Gateway&) { life.black_out(); }},
        Trouble{Fault::OtherTransforms, "other transform sets", 1, [](Life& life, Gateway& at) { life.reconfigure(at, with_other_transforms(at.config)); }},
        Trouble{Fault::OtherPolicy, "other ISAKMP policies", 1, [](Life& life, Gateway& at) { life.reconfigure(at, with_other_policy(at.config)); }},
        Trouble{Fault::OtherKey, "other keys", 2, [](Life& life, Gateway& at) { life.reconfigure(at, with_other_key(at.config)); }},
        Trouble{Fault::OtherPfs, "other PFS groups", 1, [](Life& life, Gateway& at) { life.reconfigure(at, with_other_pfs(at.config)); }},
        Trouble{Fault::FlowsRemoved, "flows removed", 2, [](Life& life, Gateway& at) { life.reconfigure(at, without_last_flows(life.plan_.places[life.index_of(at)].config)); }},
        Trouble{Fault::ConfigurationBack, "configurations put back", 4, [](Life& life, Gateway& at) { life.reconfigure(at, life.plan_.places[life.index_of(at)].config); }},
        Trouble{Fault::JobsLost, "times of lost jobs", 1, [](Life& life, Gateway&) { life.let_jobs(Jobs::Lost); }},
        Trouble{Fault::JobsSlow, "times of slow jobs", 1, [](Life& life, Gateway&) { life.let_jobs(Jobs::Slow); }},
        Trouble{Fault::JobsRefused, "times of refused jobs", 1, [](Life& life, Gateway&) { life.let_jobs(Jobs::Refused); }},
        Trouble{Fault::InstallsRefused, "times of refused installs", 1, [](Life& life, Gateway&) { life.installs_to_refuse_ = 1 + life.dice_.below(3); }},
        Trouble{Fault::SpisExhausted, "times without free SPIs", 1, [](Life& life, Gateway& at) { life.exhaust_spis(at); }},
        Trouble{Fault::ForgedRefusals, "times of forged refusals", 2, [](Life& life, Gateway&) { life.forging_ = true; }},
        Trouble{Fault::ProtectedRefusals, "times of refusals under keys", 1, [](Life& life, Gateway&) { life.refusing_ = true; }},
        Trouble{Fault::CommitBits, "times of peers with the commit bit", 2, [](Life& life, Gateway&) { life.committing_ = true; }},
        // Control alone is killed beside all this, by dice of its own: see kill().
        Trouble{Fault::Kill, "kills of control", 0, [](Life& life, Gateway& at) { life.network_.restart(at); }},
        Trouble{Fault::KillHalfWay, "kills of control between two actions", 0, [](Life& life, Gateway& at) { life.doomed_ = &at; }},
        Trouble{Fault::Client, "visits of clients", 6, [](Life& life, Gateway&) { life.visit(); }},
    };
    // clang-format on
    static_assert(kTable.size() == static_cast<std::size_t>(Fault::Count_));
    return kTable;
}

const char* name(Fault fault) {
    for (const Life::Trouble& row : Life::troubles())
        if (row.fault == fault)
            return row.name;
    return "";
}

void Life::trouble() {
    std::uint32_t total = 0;
    for (const Trouble& row : troubles())
        total += row.weight;
    std::uint32_t drawn = dice_.below(total);
    const Trouble* chosen = &troubles().front();
    while (drawn >= chosen->weight)
        drawn -= chosen++->weight;
    happen(*chosen, any_gateway());
}

/// A process that dies and goes on is to be no trouble at all: the rest of a life stays what it
/// would have been, so that a life that fails without kills is told from one that fails by them.
///
/// Not of a hub whose peers come behind a NAT and are known to a dynamic entry alone: what such a
/// peer protects as its own address the hub cannot ask for, so that a rekey of its own comes to
/// nothing, and at the end of an SA that only the hub sees coming a packet is lost, kills or not.
void Life::kill() {
    constexpr std::uint32_t kOneIn = 2;
    const bool any_dynamic =
        std::ranges::any_of(gateways_.front()->config.connections,
                            [](const ike::Connection& entry) { return entry.dynamic.has_value(); });
    // A login under way is not kept: that would only cut the visits of clients short.
    if (kill_dice_.below(kOneIn) != 0 || client_ != nullptr || (nat_ != nullptr && any_dynamic))
        return;
    const Fault fault = kill_dice_.below(2) == 0 ? Fault::Kill : Fault::KillHalfWay;
    const auto row = std::ranges::find(troubles(), fault, &Trouble::fault);
    happen(*row, *gateways_[kill_dice_.below(static_cast<std::uint32_t>(gateways_.size()))]);
}

void Life::happen(const Trouble& trouble, Gateway& at) {
    ++chronicle_.tally.faults[static_cast<std::size_t>(trouble.fault)];
    say("--- " + at.name + ": " + trouble.name);
    trouble.happen(*this, at);
}

void Life::initiate(Gateway& gateway) {
    const auto& connections = gateway.config.connections;
    const auto& connection =
        connections[dice_.below(static_cast<std::uint32_t>(connections.size()))];
    network_.give(gateway, ike::Initiate{connection.name, kNoPolicy});
}

void Life::initiate_both(Gateway& gateway) {
    Gateway& hub = *gateways_.front();
    Gateway& spoke = &gateway == &hub ? *gateways_.back() : gateway;
    const std::string tunnel = spoke.config.connections.front().name;
    network_.give(hub, ike::Initiate{tunnel, kNoPolicy});
    network_.give(spoke, ike::Initiate{tunnel, kNoPolicy});
}

void Life::reach_limit(Gateway& gateway, bool hard) {
    const auto children = gateway.engine.child_sas();
    if (!children.empty())
        network_.give(gateway, ike::SaLimitReached{children.front().outbound_sa, hard});
}

/// As after a suspend: this side alone has slept.
void Life::jump(Gateway& gateway) {
    constexpr std::array<Duration, 4> kLeaps = {30s, 100s, 70min, 26h};
    gateway.ahead += kLeaps[dice_.below(kLeaps.size())];
}

void Life::black_out() {
    test::Weather dark = plan_.weather;
    dark.loss_percent = 100;
    network_.set_weather(dark);
    network_.after(std::chrono::seconds{5 + dice_.below(70)},
                   [this] { network_.set_weather(plan_.weather); });
}

void Life::reconfigure(Gateway& gateway, ike::EngineConfig config) {
    gateway.config = config;
    network_.give(gateway,
                  ike::Reconfigure{std::make_shared<ike::EngineConfig>(std::move(config))});
}

void Life::let_jobs(Jobs jobs) {
    jobs_ = jobs;
    network_.after(std::chrono::seconds{1 + dice_.below(40)}, [this] { jobs_ = Jobs::Sound; });
}

void Life::exhaust_spis(Gateway& gateway) {
    const std::size_t before = std::exchange(gateway.spis.limit, gateway.spis.in_use());
    network_.after(std::chrono::seconds{1 + dice_.below(20)}, [&gateway, before] {
        gateway.spis.limit = std::max(before, gateway.spis.limit);
    });
}

void Life::visit() {
    Gateway& hub = *gateways_.front();
    if (hub.config.access.empty())
        return;
    client_ = std::make_unique<ClientVisit>(network_, hub, dice_);
    client_->come();
}

// --- the world ----------------------------------------------------------------------------------

Life::Life(std::uint64_t seed, Chronicle& chronicle)
    : chronicle_(chronicle), dice_(spread(seed)), kill_dice_(spread(~seed)),
      plan_(draw_plan(dice_)), network_(dice_.u64(), plan_.weather), insider_(chronicle.memo) {
    place_gateways();
    hook_network();
}

Life::~Life() {
    chronicle_.tally.damage += network_.damage();
    chronicle_.tally.unknown_spis += traffic_.unknown_spis();
    for (const Gateway* gateway : gateways_) {
        chronicle_.tally.phase1 += gateway->engine.counters().phase1_established;
        chronicle_.tally.phase2 += gateway->engine.counters().phase2_established;
    }
}

void Life::place_gateways() {
    for (const Place& place : plan_.places) {
        Gateway& gateway = network_.add(place.name, place.address, place.config, dice_.u64());
        gateway.spis.begin_at(Spi{0x1000'0000 + dice_.below(0x1000'0000)});
        gateway.observe([this](const ike::Row& row) { chronicle_.tally.coverage.note(row); });
        gateway.debugging = chronicle_.trace != nullptr;
        gateway.engine.set_debug(gateway.debugging, false);
        gateways_.push_back(&gateway);
        if (!place.behind_nat)
            continue;
        if (nat_ == nullptr)
            nat_ = &network_.add_nat(kNatOutside);
        nat_->hide(place.address);
    }
}

void Life::hook_network() {
    network_.dies = [this](Gateway& acting, std::size_t actions) {
        if (&acting != doomed_ || actions == 0)
            return actions;
        doomed_ = nullptr;
        return std::size_t{kill_dice_.below(static_cast<std::uint32_t>(actions))};
    };
    network_.work = [this](Gateway& gateway, const ike::Job& job) { return work(gateway, job); };
    network_.work_time = [this]() -> Duration {
        if (jobs_ != Jobs::Slow)
            return 1ms;
        const Duration time = std::chrono::seconds{25 + dice_.below(20)};
        last_slow_job_ = std::max(last_slow_job_, network_.now() + time);
        return time;
    };
    network_.on_install = [this](Gateway& gateway, const ike::InstallSaAction& action) {
        return install(gateway, action);
    };
    network_.tap = [this](ike::SendDatagram& send) {
        if (client_ && client_->hear(send))
            return false;
        insider_.hear(send);
        if (committing_)
            ask_for_patience(send);
        if (forging_)
            forge_refusal(send);
        if (refusing_)
            refuse_under_keys(send);
        return true;
    };
    if (chronicle_.trace)
        network_.trace = [this](const std::string& line) { say(line); };
}

std::optional<ike::JobResult> Life::work(Gateway& gateway, const ike::Job& job) {
    // Later ones also by themselves: nobody gets that far while all jobs are lost.
    const bool late = !std::holds_alternative<ike::DhJob>(job.work);
    if (jobs_ == Jobs::Lost || (late && !calm_ && dice_.below(20) == 0))
        return std::nullopt;
    if (jobs_ == Jobs::Refused)
        return ike::JobResult{job.job_id, fail(ErrorCode::Exhausted, "too many jobs wait")};
    return plan_.true_arithmetic ? ike::run(job, gateway.rng)
                                 : chronicle_.memo.run(job, gateway.rng);
}

bool Life::install(Gateway& gateway, const ike::InstallSaAction& action) {
    if (action.remote.address != kClientAddress)
        ledger_.note(gateway, action);
    if (installs_to_refuse_ > 0) {
        --installs_to_refuse_;
        if (action.remote.address != kClientAddress)
            ledger_.refused(action);
        return false;
    }
    traffic_.note_install(gateway, action);
    return true;
}

/// Somebody on the path reads cookies and answers in the peer's name, faster than the peer.
void Life::forge_refusal(const ike::SendDatagram& send) {
    const auto header = ike::parse_header(send.payload);
    if (!header || header->exchange != ike::ExchangeType::IdentityProtection || dice_.below(2) == 0)
        return;
    constexpr std::array kTypes = {ike::NotifyType::NoProposalChosen,
                                   ike::NotifyType::InvalidKeyInformation,
                                   ike::NotifyType::AuthenticationFailed};
    ike::Header forged = *header;
    forged.exchange = ike::ExchangeType::Informational;
    forged.flags = 0;
    forged.message_id = MessageId{dice_.u32()};
    ike::MessageBuilder message;
    message.add(ike::PayloadType::Notification,
                ike::build_notification(
                    {ike::ProtocolId::Isakmp, kTypes[dice_.below(kTypes.size())], {}, {}}));
    answer(send, message.clear(forged));
}

/// As its sender has agreed them.
std::optional<Secrets> Life::secrets_of(const ike::SendDatagram& send, const ike::Header& header) {
    for (const Gateway* gateway : gateways_) {
        if (gateway->address != send.local.address)
            continue;
        for (const ike::IsakmpSaView& sa : gateway->engine.isakmp_sas()) {
            const auto psk = ike::key_for_address(gateway->config, nullptr, send.remote.address);
            if (sa.initiator_cookie == header.cookies.initiator && sa.policy && psk != nullptr)
                return Secrets{*sa.policy, psk};
        }
    }
    return std::nullopt;
}

/// Message 5 is understood and refused, as peers of other makes do it.
void Life::refuse_under_keys(const ike::SendDatagram& send) {
    const auto header = ike::parse_header(send.payload);
    if (!header || header->exchange != ike::ExchangeType::IdentityProtection ||
        !header->encrypted())
        return;
    const auto secrets = secrets_of(send, *header);
    if (!secrets)
        return;
    constexpr std::array kTypes = {ike::NotifyType::InvalidIdInformation,
                                   ike::NotifyType::InitialContact}; // which refuses nothing
    if (auto refusal = insider_.refuse(
            send, *secrets, MessageId{dice_.u32() | 1}, kTypes[dice_.below(kTypes.size())]))
        answer(send, std::move(*refusal));
}

/// Quick modes as with a peer that sets the commit bit, and keeps what it promises or not.
void Life::ask_for_patience(ike::SendDatagram& send) {
    const std::size_t place = insider_.place_in_quick_mode(send);
    if (place == 2)
        send.payload[kFlagsAt] |= ike::kFlagCommit;
    const std::uint32_t how = dice_.below(3);
    if (place != 3 || how == 0)
        return;
    const auto header = ike::parse_header(send.payload);
    const auto secrets = secrets_of(send, *header);
    if (!secrets)
        return;
    if (auto connected = insider_.confirm(send,
                                          *secrets,
                                          how == 1 ? ike::ExchangeType::QuickMode
                                                   : ike::ExchangeType::Informational))
        answer(send, std::move(*connected));
}

void Life::answer(const ike::SendDatagram& question, Bytes payload) {
    for (Gateway* gateway : gateways_)
        if (gateway->address == question.local.address)
            network_.after(2ms,
                           [this,
                            gateway,
                            local = question.local,
                            remote = question.remote,
                            payload = std::move(payload)] {
                               network_.give(*gateway,
                                             ike::DatagramReceived{local, remote, payload});
                           });
}

// --- the course of it ---------------------------------------------------------------------------

Complaints Life::live() {
    if (dice_.below(4) != 0)
        traffic_.start();
    const std::uint32_t troubles = 1 + dice_.below(kTroubles);
    for (std::uint32_t i = 0; i < troubles; ++i) {
        trouble();
        kill();
        network_.run_for(std::chrono::milliseconds{dice_.below(kPauseMilliseconds)});
    }
    calm_down();
    if (Complaints complaints = watch_calm(); !complaints.empty())
        return complaints;
    return end();
}

void Life::calm_down() {
    say("--- calm");
    calm_ = true;
    plan_.weather = {.delay_ms = 5};
    network_.set_weather(plan_.weather);
    jobs_ = Jobs::Sound;
    installs_to_refuse_ = 0;
    forging_ = refusing_ = committing_ = false;
    doomed_ = nullptr;
    for (std::size_t i = 0; i < gateways_.size(); ++i) {
        gateways_[i]->spis.limit = 1'000'000;
        reconfigure(*gateways_[i], plan_.places[i].config);
        clear_deaf_sas(*gateways_[i]);
    }
    traffic_.start();
    // A job under way is a fault that has not ceased.
    network_.run_for(std::max(last_slow_job_ - network_.now(), Duration::zero()));
}

/// A damaged vendor id leaves two ends without DPD, and then neither ever learns that the other has
/// crashed: an operator has to help.
void Life::clear_deaf_sas(Gateway& gateway) {
    for (const ike::IsakmpSaView& sa : gateway.engine.isakmp_sas())
        if (sa.established && !sa.dpd && !sa.login)
            network_.give(gateway, ike::ClearPhase1{.peer = {}, .conn_id = sa.conn_id});
}

Complaints Life::watch_calm() {
    const auto watch = [&](Duration time) {
        for (Duration passed{}; passed < time; passed += 1s) {
            network_.run_for(1s);
            pairs_.look(network_);
        }
    };
    watch(kRecovery);
    traffic_.begin_count();
    watch(kProof);
    traffic_.end_count();
    network_.run_for(100ms); // what is under way arrives
    for (const auto& [flow, count] : traffic_.counts())
        chronicle_.tally.packets += count.arrived;
    for (const Complaints& complaints : {ledger_.keys_belong_to_one_pair(),
                                         ledger_.inbound_stands_first(),
                                         traffic_flows(traffic_.counts()),
                                         pairs_.pairs_stay_few(),
                                         sas_match(network_)})
        if (!complaints.empty())
            return complaints;
    return {};
}

Complaints Life::end() {
    say("--- shutdown");
    traffic_.stop();
    for (Gateway* gateway : gateways_) {
        network_.give(*gateway, ike::Shutdown{});
        network_.run_for(std::chrono::seconds{dice_.below(3)});
    }
    network_.run_for(kSettle);
    for (const Complaints& complaints : {nothing_is_left(network_), spis_are_released(network_)})
        if (!complaints.empty())
            return complaints;
    return {};
}

Gateway& Life::any_gateway() {
    return *gateways_[dice_.below(static_cast<std::uint32_t>(gateways_.size()))];
}

std::uint32_t Life::index_of(const Gateway& gateway) const {
    return static_cast<std::uint32_t>(std::ranges::find(gateways_, &gateway) - gateways_.begin());
}

void Life::say(const std::string& line) {
    if (!chronicle_.trace)
        return;
    const auto milliseconds =
        std::chrono::duration_cast<std::chrono::milliseconds>(network_.now().time_since_epoch());
    char time[32];
    std::snprintf(time, sizeof time, "%9.3f ", static_cast<double>(milliseconds.count()) / 1000);
    chronicle_.trace(time + line);
}

} // namespace adit::sim

// SPDX-License-Identifier: Apache-2.0
#include "dataplane/worker.h"

#include "common/random.h"
#include "common/secret.h"
#include "dataplane/stages/esp_delivery.h"
#include "dataplane/stages/esp_inbound.h"
#include "dataplane/stages/esp_outbound.h"
#include "dataplane/stages/forward.h"
#include "dataplane/stages/fragment.h"
#include "dataplane/stages/inbound_policy.h"
#include "dataplane/stages/ip_input.h"
#include "dataplane/stages/leave_tunnel.h"
#include "dataplane/stages/link_input.h"
#include "dataplane/stages/link_output.h"
#include "dataplane/stages/local_delivery.h"
#include "dataplane/stages/outbound_policy.h"
#include "dataplane/stages/outer_output.h"
#include "dataplane/stages/route.h"
#include "dataplane/stages/tx.h"

#include <algorithm>
#include <rte_ethdev.h>

namespace adit::dataplane {

using ipc::WorkerPart;

namespace {

constexpr std::uint64_t kBeatNs = 1'000'000;
constexpr std::uint64_t kTickNs = 100'000'000;
/// SA commands in one turn: installing one takes half a microsecond, and with 8 traffic keeps most
/// of its speed while a hundred thousand are waiting, which are still taken at 0.7 million a
/// second.
constexpr unsigned kMaxCommandsPerTurn = 8;
/// SAs a direction whose counters a turn publishes: with 100,000 of each, a busy worker gets round
/// in half a second, for one nanosecond a packet.
constexpr std::uint32_t kPublishedWhenBusy = 2;
constexpr std::uint32_t kPublishedWhenIdle = 64;
/// Turns without work publish more, but rarely: with 10,000 SAs each 64 take two microseconds,
/// which a core that polls between packets would spend over and over.
constexpr std::uint64_t kIdlePublishNs = 100'000;
/// Places of the event ring that only Acks may take: commands are answered while stages are noisy.
constexpr std::uint64_t kEventsKeptForAcks = 64;

std::uint64_t now_ns() {
    return static_cast<std::uint64_t>(MonotonicClock::now().time_since_epoch().count());
}

} // namespace

bool Worker::turn(std::uint64_t now) {
    context_.esp.now_ns = now;
    clock_.start(ipc::read(stats_->turns));
    adopt_published();

    // records.h: a command pushed before a datagram was injected is applied before that datagram
    // leaves. So datagrams are taken first, then commands, and only then do the datagrams go on:
    // through every worker, since each has commands of its own.
    if (injected_.count == 0)
        injected_.count = queues_.inject.pop(injected_.packets);
    bool found_work = injected_.count > 0;
    if (drain_commands(found_work))
        pass_injected_on();
    found_work |= send_frames();
    if (!context_.handover.alone())
        found_work |= take_handovers();

    Burst frames;
    clock_.skip();
    if (const unsigned received = receive(frames); received > 0) {
        clock_.lap(WorkerPart::Receive, received);
        found_work = true;
        process(frames);
    }
    send_made();
    transmit_all();
    if (!context_.handover.alone())
        context_.flush_handovers();
    if (now >= next_tick_ns_)
        tick();
    publish_counters(now, found_work);
    flush_events();
    account(now, found_work);
    shared_->rcu.quiescent(id_.value);
    return found_work;
}

void Worker::process(Burst& frames) {
    const unsigned received = frames.count;
    // Off the wire. Packets in clear leave at once; the others wait in context_: in protect, or,
    // when they are for us, in esp_in or local.
    if (crypto_->keys_are_cold()) {
        // Policies are many too: their lines are asked for in one pass and read in the next.
        pass<link_input, esp_to_us, inbound_policy, route, forward, fetch_policy>(frames, context_);
        pass<outbound_policy, link_output>(frames, context_);
    } else {
        pass<link_input, esp_to_us, inbound_policy, route, forward, outbound_policy, link_output>(
            frames, context_);
    }
    clock_.lap(WorkerPart::Forward, received);
    encapsulate(context_.protect);
    const unsigned local = context_.local.count;
    local_delivery(context_.local, context_);
    clock_.lap(WorkerPart::Deliver, local);
    decapsulate();
}

/// What comes out of SAs goes the same way once more.
void Worker::decapsulate() {
    Burst& inner = context_.esp_in;
    esp_inbound(inner, context_.esp);
    const unsigned opened = inner.count;
    leave_tunnel(inner, context_);
    clock_.lap(WorkerPart::EspInbound, opened);
    pass<inner_ip_input, route, forward, outbound_policy, link_output>(inner, context_);
    clock_.lap(WorkerPart::ForwardInner, opened);
    encapsulate(context_.protect);
    local_delivery(context_.local, context_);
}

void Worker::encapsulate(Burst& packets) {
    outbound_policy_matched(context_.matched, context_);
    if (all_fit_tunnel(packets, context_)) {
        seal_and_send(packets);
        return;
    }
    Burst fitting;
    for (unsigned next = 0; fit_tunnel(packets, next, fitting, context_); fitting.count = 0)
        seal_and_send(fitting);
    packets.count = 0;
}

void Worker::seal_and_send(Burst& packets) {
    esp_outbound(packets, context_.esp);
    const unsigned sealed = packets.count;
    clock_.lap(WorkerPart::EspOutbound, sealed);
    pass<outer_output>(packets, context_);
    clock_.lap(WorkerPart::Output, sealed);
}

/// Packets of ours, under the policies of their egress interface.
void Worker::send(Burst& packets) {
    pass<route_own, outbound_policy, link_output>(packets, context_);
    encapsulate(context_.protect);
}

/// What other workers handed over goes on where it stopped there; what waited here for an SA that
/// came to another worker goes there.
bool Worker::take_handovers() {
    if (context_.held.size() > 0)
        context_.hand_over_held();
    Burst taken;
    if (context_.handover.receive(taken) == 0)
        return false;
    Burst matched;
    for (unsigned i = 0; i < taken.count; ++i) {
        rte_mbuf* packet = taken.packets[i];
        switch (meta(packet).handover) {
        case Handover::EspInbound:
            context_.esp_in.push(packet);
            break;
        case Handover::Protect:
            matched.push(packet);
            break;
        case Handover::Transmit:
            queue_frame(packet, meta(packet).out_interface, context_);
            break;
        case Handover::None:
            ENSURE(false); // the desk writes what is wanted
        }
    }
    protect_matched(matched);
    decapsulate();
    return true;
}

/// What was matched under other tables than ours, or waited since, is matched again; and so is what
/// came with it, which must not overtake.
void Worker::protect_matched(Burst& packets) {
    const std::uint64_t ours = context_.tables->version;
    const std::span<rte_mbuf* const> all{packets.packets, packets.count};
    if (std::ranges::all_of(all, [&](auto* p) { return meta(p).sa.tables_version == ours; })) {
        outbound_policy_matched(packets, context_);
        encapsulate(context_.protect);
    } else {
        keep_to_tunnels(packets, context_);
        send(packets);
    }
}

unsigned Worker::receive(Burst& frames) {
    const std::size_t queues = rx_queues_.size();
    // Another queue is first each time, so that none takes all places of the burst for itself.
    first_queue_ = first_queue_ + 1 < queues ? first_queue_ + 1 : 0;
    for (std::size_t i = 0; i < queues && !frames.full(); ++i) {
        const RxQueue& from = rx_queues_[(first_queue_ + i) % queues];
        const auto room = static_cast<std::uint16_t>(std::min(kRxBurst, kMaxBurst - frames.count));
        rte_mbuf** const to = frames.packets + frames.count;
        const std::uint16_t got =
            rte_eth_rx_burst(context_.ports[from.port].dpdk_port, from.queue, to, room);
        for (unsigned k = 0; k < got; ++k) {
            rte_prefetch0(data(to[k]));
            meta(to[k]).in_interface = from.port;
        }
        frames.count += got;
    }
    if (frames.count > 0)
        ipc::add(stats_->packets, frames.count);
    return frames.count;
}

void Worker::transmit_all() {
    clock_.skip();
    unsigned frames = 0;
    for (WorkerPort& port : context_.ports) {
        frames += port.out.count;
        transmit(port, context_);
    }
    clock_.lap(WorkerPart::Transmit, frames);
}

void Worker::adopt_published() {
    context_.egress.keep_to(shared_->egress_version()); // before the tables are loaded
    context_.tables = shared_->tables.load();
    context_.next_hop.forget();
    channel_ = shared_->channel.load();
    if (channel_ == nullptr || channel_->generation() != channel_generation_) {
        // Events for a control that is gone mean nothing to the next one.
        events_.clear();
        events_moved_ = 0;
        sas_->forget_control();
        channel_generation_ = channel_ == nullptr ? 0 : channel_->generation();
    }
    if (context_.tables->sa_epoch != adopted_epoch_.load(std::memory_order_relaxed))
        end_epoch();
}

/// What the control now attached has not adopted nobody would rekey any more.
void Worker::end_epoch() {
    context_.held.clear([&](rte_mbuf* packet, std::uint32_t policy) {
        context_.drop_for_want_of_sa(packet, policy);
    });
    sas_->remove_doubtful();
    if (sas_->size() == 0) {
        sas_.reset(); // its pages go back
        auto fresh = SaTable::create(sa_config_, *crypto_);
        ENSURE(fresh.has_value()); // it asks for the address space that was given back just now
        sas_.emplace(std::move(*fresh));
    }
    adopted_epoch_.store(context_.tables->sa_epoch, std::memory_order_release);
}

bool Worker::drain_commands(bool& found_work) {
    if (channel_ == nullptr)
        return true;
    auto& commands = channel_->commands(id_.value);
    auto& events = channel_->events(id_.value);
    // A command is taken only when there is room for its Ack.
    for (unsigned i = 0; i < kMaxCommandsPerTurn && commands.ready() && events.room() > 0; ++i) {
        ipc::CommandRecord command;
        if (commands.try_pop(command) != ipc::PopResult::Got)
            break;
        found_work = true;
        apply(command);
        wipe(&command, sizeof command);
    }
    if (commands.broken() || events.broken()) {
        broken_generation_.store(channel_->generation(), std::memory_order_relaxed);
        return true;
    }
    return !commands.ready();
}

void Worker::apply(const ipc::CommandRecord& command) {
    CommandOutcome outcome{ipc::AckResult::UnknownType, 0};
    const auto type = static_cast<ipc::CommandType>(command.header.type);
    if (type == ipc::CommandType::InstallSa)
        outcome = sas_->install(command.install_sa);
    else if (type == ipc::CommandType::RemoveSa)
        outcome = sas_->remove(command.remove_sa);
    else if (type == ipc::CommandType::AdoptSa)
        outcome = sas_->adopt(command.adopt_sa);

    ipc::EventRecord event{};
    event.ack.header.type = static_cast<std::uint16_t>(ipc::EventType::Ack);
    event.ack.sequence = command.header.sequence;
    event.ack.result = static_cast<std::uint16_t>(outcome.result);
    event.ack.detail = outcome.detail;
    if (!channel_->events(id_.value).try_push(event))
        ipc::add(stats_->events_lost, 1);
    channel_->wake_control();

    const bool outbound =
        command.install_sa.direction == static_cast<std::uint8_t>(ipc::Direction::Outbound);
    if (type == ipc::CommandType::InstallSa && outcome.ok() && outbound)
        send_held(command.install_sa.policy);
}

void Worker::send_held(std::uint32_t policy) {
    Burst packets;
    context_.held.release(policy, packets);
    keep_to_tunnels(packets, context_);
    send(packets);
}

void Worker::pass_injected_on() {
    if (next_injected_ == nullptr) {
        pass<route_own, link_output>(injected_, context_); // under no policy
        return;
    }
    const unsigned passed = next_injected_->push({injected_.packets, injected_.count});
    for (unsigned i = passed; i < injected_.count; ++i)
        context_.drop(injected_.packets[i], DropReason::HandoverFull);
    injected_.count = 0;
}

void Worker::send_made() {
    if (context_.made.count == 0)
        return;
    Burst packets = context_.made;
    context_.made.count = 0;
    send(packets);
}

bool Worker::send_frames() {
    Burst frames;
    frames.count = queues_.frames.pop(frames.packets);
    for (unsigned i = 0; i < frames.count; ++i)
        queue_frame(frames.packets[i], meta(frames.packets[i]).out_interface, context_);
    return frames.count > 0;
}

void Worker::tick() {
    const std::uint64_t now = context_.esp.now_ns;
    next_tick_ns_ = now + kTickNs;
    context_.reassembly.expire(now);
    context_.held.expire(now, [&](rte_mbuf* packet, std::uint32_t policy) {
        context_.drop_for_want_of_sa(packet, policy);
    });
    stats_->held.store(context_.held.size(), std::memory_order_relaxed);
    stats_->events_lost.store(events_.lost(), std::memory_order_relaxed);
}

/// What does not fit stays in the queue for the next turn.
void Worker::flush_events() {
    const auto pending = events_.pending();
    if (channel_ == nullptr || pending.empty())
        return;
    auto& ring = channel_->events(id_.value);
    const std::uint64_t room = ring.room();
    std::uint64_t may_take = room > kEventsKeptForAcks ? room - kEventsKeptForAcks : 0;
    const std::size_t moved_before = events_moved_;
    for (; events_moved_ < pending.size() && may_take > 0; --may_take)
        if (!ring.try_push(pending[events_moved_++]))
            break;
    if (events_moved_ > moved_before)
        channel_->wake_control();
    if (events_moved_ == pending.size()) {
        events_.clear();
        events_moved_ = 0;
    }
}

void Worker::publish_counters(std::uint64_t now, bool found_work) {
    if (found_work)
        return sas_->publish(kPublishedWhenBusy, now);
    if (now < next_idle_publish_ns_)
        return;
    sas_->publish(kPublishedWhenIdle, now);
    next_idle_publish_ns_ = now + kIdlePublishNs;
}

void Worker::account(std::uint64_t now, bool found_work) {
    // The time since the last turn began belongs to that turn; at this rate it makes no difference.
    ipc::add(found_work ? stats_->busy_ns : stats_->idle_ns, now - turn_started_ns_);
    turn_started_ns_ = now;
    ipc::add(stats_->turns, 1);
    if (now >= next_beat_ns_) {
        stats_->heartbeat_ns.store(now, std::memory_order_relaxed);
        next_beat_ns_ = now + kBeatNs;
    }
}

void Worker::run(const std::atomic<bool>& stop) {
    Idle::tighten_timer();
    shared_->rcu.join(id_.value);
    turn_started_ns_ = now_ns();
    while (!stop.load(std::memory_order_relaxed)) {
        if (turn(now_ns()))
            idle_.found_work();
        else
            idle_.found_nothing();
    }
    shared_->rcu.leave(id_.value);
}

Result<std::unique_ptr<Worker>>
Worker::create(const WorkerConfig& config, Shared& shared, ipc::DataplaneStats& stats) {
    auto crypto = TRY(CryptoMb::create(config.crypto));
    const std::uint32_t id = config.id.value;
    const SaTableConfig sa_config{
        .worker = config.id,
        .max_sas = stats.config().max_sas,
        .max_policies = stats.config().max_policies,
        .stats = {.inbound = &stats.inbound_sa_stats(id, 0),
                  .outbound = &stats.outbound_sa_stats(id, 0),
                  .policies = &stats.policy_stats(0, id)},
        .owners = shared.crossing.rings.workers() > 1 ? &shared.crossing.owners : nullptr,
    };
    SaTable sas = TRY(SaTable::create(sa_config, *crypto));
    HousekeeperQueues queues = TRY(HousekeeperQueues::create(id));
    return std::unique_ptr<Worker>(new Worker(
        config, sa_config, shared, stats, std::move(crypto), std::move(sas), std::move(queues)));
}

Worker::Worker(const WorkerConfig& config,
               const SaTableConfig& sa_config,
               Shared& shared,
               ipc::DataplaneStats& stats,
               std::unique_ptr<CryptoMb> crypto,
               SaTable sas,
               HousekeeperQueues queues)
    : id_(config.id), shared_(&shared), stats_(&stats.core_stats(config.id.value)),
      sa_config_(sa_config), drops_(*stats_), clock_(*stats_), crypto_(std::move(crypto)),
      sas_(std::move(sas)), queues_(std::move(queues)),
      context_{.esp = {*sas_, *crypto_, drops_, events_, notices_, config.pool},
               .tables = nullptr,
               .neighbors = shared.neighbors,
               .queues = queues_,
               .policy_stats = &stats.policy_stats(0, config.id.value),
               .ports = config.ports,
               .faces = faces_of(config.ports),
               .held = HoldQueue{stats.config().max_policies},
               .reassembly = Reassembly{drops_},
               .icmp_errors = IcmpErrors{config.pool},
               .handover = shared.crossing.rings.workers() > 1
                               ? HandoverDesk{shared.crossing, config.id}
                               : HandoverDesk{}},
      idle_(config.idle), rx_queues_(config.rx_queues) {
    SystemRng rng;
    context_.next_ip_id = static_cast<std::uint16_t>(rng.u32());
}

} // namespace adit::dataplane

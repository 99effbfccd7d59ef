// SPDX-License-Identifier: Apache-2.0
#include "dataplane/housekeeper.h"

#include "common/random.h"
#include "common/secret.h"

#include <algorithm>
#include <array>
#include <poll.h>

namespace adit::dataplane {

namespace {

constexpr Duration kTick = std::chrono::milliseconds{100};
/// Bounds of one turn, so that no ring keeps the others waiting.
constexpr unsigned kMaxCommandsPerTurn = 256;
constexpr unsigned kMaxDatagramsPerTurn = 32;
constexpr unsigned kMaxSlowPacketsPerTurn = 64;
/// An idle housekeeper looks at its queues this often: the price of the first packet to a
/// neighbour.
constexpr Duration kShortestNap = std::chrono::microseconds{100};
constexpr Duration kLongestNap = std::chrono::microseconds{500};
/// While there is work nobody waits at the socket; looking there costs as much as a packet.
constexpr Duration kSocketLook = std::chrono::milliseconds{1};

std::uint64_t to_ns(Instant now) {
    return static_cast<std::uint64_t>(now.time_since_epoch().count());
}

std::vector<std::uint32_t> mtus_of(const std::vector<EthPort>& ports) {
    std::vector<std::uint32_t> mtus;
    for (const EthPort& port : ports)
        mtus.push_back(port.mtu());
    return mtus;
}

std::vector<wire::MacAddress> macs_of(const std::vector<EthPort>& ports) {
    std::vector<wire::MacAddress> macs;
    for (const EthPort& port : ports)
        macs.push_back(port.mac());
    return macs;
}

std::uint16_t random_id() {
    SystemRng rng;
    return static_cast<std::uint16_t>(rng.u32());
}

std::string describe(const ipc::Peer& peer) {
    return "control (pid " + std::to_string(peer.pid) + ")";
}

} // namespace

Housekeeper::Housekeeper(const HousekeeperParts& parts, ipc::HandshakeServer server)
    : parts_(parts), server_(std::move(server)), drops_(parts.stats.housekeeper_stats()),
      builder_(mtus_of(parts.ports), parts.stats.config().max_policies),
      arp_(parts.shared.neighbors, macs_of(parts.ports), parts.pool.get(), drops_, parts.log),
      datagrams_(parts.pool.get(), random_id()), links_(parts.ports.size()),
      link_reported_(parts.ports.size(), false) {}

void Housekeeper::run(const std::atomic<bool>& stop, const std::function<void(Instant)>& look) {
    Idle::tighten_timer();
    Duration nap = kShortestNap;
    while (!stop.load(std::memory_order_relaxed)) {
        const Instant now = MonotonicClock::now();
        look(now);
        if (turn(now)) {
            nap = kShortestNap;
            continue;
        }
        std::array<pollfd, 2> sources{pollfd{server_.listen_fd(), POLLIN, 0},
                                      pollfd{server_.connection_fd(), POLLIN, 0}};
        const timespec time{0, nap.count()};
        if (ppoll(sources.data(), sources.size(), &time, nullptr) > 0)
            next_socket_look_ = {};
        nap = std::min(nap * 2, kLongestNap);
    }
}

bool Housekeeper::turn(Instant now) {
    parts_.stats.housekeeper_stats().heartbeat_ns.store(to_ns(now), std::memory_order_relaxed);
    if (now >= next_tick_)
        tick(now);
    serve_control(now);
    bool found_work = send_injected();
    found_work |= punt(now);
    found_work |= serve_arp(now);
    send_frames();
    return found_work;
}

// -----------------------------------------------------------------------------------------------
// control comes and goes

void Housekeeper::serve_control(Instant now) {
    if (channel_ != nullptr && rings_broken()) {
        server_.disconnect();
        detach(describe(server_.peer()) +
                   " put something impossible into its rings and was disconnected; forwarding "
                   "continues with the SAs installed",
               Severity::Error,
               now);
    }
    if (now < next_socket_look_)
        return;
    next_socket_look_ = now + kSocketLook;
    if (server_.attached() && server_.control_gone())
        detach(describe(server_.peer()) + " is gone; forwarding continues with the SAs installed",
               Severity::Warning,
               now);
    const auto peer = server_.accept_control();
    if (!peer) // a subject, so that nobody fills the log by knocking
        parts_.log.write({Severity::Warning, "SYS", "CONTROL_REFUSED", peer.error().text, "socket"},
                         now);
    else if (*peer)
        attach(**peer, now);
}

bool Housekeeper::rings_broken() const {
    return channel_->housekeeper_rings_broken() ||
           std::ranges::any_of(parts_.workers, [&](const Worker* worker) {
               return worker->broken_generation() == channel_->generation();
           });
}

void Housekeeper::attach(const ipc::Peer& peer, Instant now) {
    auto channel = ipc::DataplaneChannel::create(parts_.stats, generation_ + 1);
    if (!channel) {
        server_.refuse(channel.error());
        log(Severity::Error, "SYS", "CONTROL_REFUSED", channel.error().text, now);
        return;
    }
    if (const Status welcome = server_.welcome(parts_.stats, **channel); !welcome) {
        log(Severity::Warning, "SYS", "CONTROL_REFUSED", welcome.error().text, now);
        return;
    }
    builder_.forget_published();
    edits_.clear();
    channel_ = channel->get();
    generation_ = channel_->generation();
    parts_.shared.channel.publish(std::move(*channel));
    link_reported_.assign(link_reported_.size(), false);
    report_links();
    log(Severity::Notice, "SYS", "CONTROL_ATTACHED", describe(peer) + " attached", now);
}

void Housekeeper::detach(const std::string& why, Severity severity, Instant now) {
    channel_ = nullptr;
    control_watch_ = {};
    has_injected_ = false;
    unanswered_publish_.reset();
    parts_.shared.channel.publish(nullptr);
    log(severity, "SYS", "CONTROL_GONE", why, now);
}

// -----------------------------------------------------------------------------------------------
// commands

/// True when no command is left.
bool Housekeeper::drain_commands(bool& found_work) {
    answer_when_adopted();
    auto& commands = channel_->housekeeper_commands();
    auto& events = channel_->housekeeper_events();
    for (unsigned i = 0; i < kMaxCommandsPerTurn; ++i) {
        // Acks come in order, so a publication still unanswered holds back what follows it.
        if (unanswered_publish_ || !commands.ready() || events.room() <= edits_.size())
            break;
        ipc::CommandRecord command;
        if (commands.try_pop(command) != ipc::PopResult::Got)
            break;
        found_work = true;
        apply(command);
        wipe(&command, sizeof command); // keys that control sent to the wrong ring
    }
    // What came together is published together: clients that come up at once cost one table.
    publish_edits();
    if (found_work)
        channel_->wake_control();
    return !unanswered_publish_ && !commands.ready();
}

namespace {

bool is_edit(std::uint16_t type) {
    return (type >= static_cast<std::uint16_t>(ipc::CommandType::AddPolicy) &&
            type <= static_cast<std::uint16_t>(ipc::CommandType::RemoveRoute)) ||
           type == static_cast<std::uint16_t>(ipc::CommandType::ChangeTunnel);
}

} // namespace

void Housekeeper::apply(const ipc::CommandRecord& command) {
    if (is_edit(command.header.type))
        return edit_tables(command);
    publish_edits(); // their Acks come first
    Verdict verdict{ipc::AckResult::UnknownType};
    bool answered = false;
    switch (static_cast<ipc::CommandType>(command.header.type)) {
    case ipc::CommandType::BeginTables:
        verdict = builder_.begin();
        break;
    case ipc::CommandType::SetInterface:
        verdict = builder_.set(command.set_interface);
        break;
    case ipc::CommandType::SetRoute:
        verdict = builder_.set(command.set_route);
        break;
    case ipc::CommandType::SetPolicy:
        verdict = builder_.set(command.set_policy);
        break;
    case ipc::CommandType::SetTunnel:
        verdict = builder_.set(command.set_tunnel);
        break;
    case ipc::CommandType::PublishTables:
        verdict = publish_tables(command.header.sequence, answered);
        break;
    case ipc::CommandType::FlushNeighbors:
        arp_.flush();
        verdict = {};
        break;
    default: // SA commands belong on a worker's ring
        break;
    }
    if (!answered)
        acknowledge(command.header.sequence, verdict);
}

/// Answered with the batch.
void Housekeeper::edit_tables(const ipc::CommandRecord& command) {
    Verdict verdict;
    switch (static_cast<ipc::CommandType>(command.header.type)) {
    case ipc::CommandType::AddPolicy:
        verdict = builder_.add(command.set_policy);
        break;
    case ipc::CommandType::RemovePolicy:
        verdict = builder_.remove(command.remove_policy);
        break;
    case ipc::CommandType::AddRoute:
        verdict = builder_.add(command.set_route);
        break;
    case ipc::CommandType::ChangeTunnel:
        verdict = builder_.change(command.set_tunnel);
        break;
    default:
        verdict = builder_.remove(command.set_route);
        break;
    }
    edits_.push_back({command.header.sequence, verdict});
}

void Housekeeper::publish_edits() {
    const bool changes =
        std::ranges::any_of(edits_, [](const Edit& edit) { return edit.verdict == Verdict{}; });
    Verdict taken;
    if (changes) {
        TableBuilder::Published next = builder_.publish_edits(*parts_.shared.tables.get());
        taken = next.verdict;
        if (next.tables != nullptr) {
            next.tables->version = ++published_;
            parts_.shared.tables.publish(std::move(next.tables));
            parts_.shared.tables.reclaim(); // edits may come faster than ticks
        }
    }
    for (const Edit& edit : edits_)
        acknowledge(edit.sequence, edit.verdict == Verdict{} ? taken : edit.verdict);
    edits_.clear();
}

/// `answered` becomes true when the Ack has to wait for the workers.
Verdict Housekeeper::publish_tables(std::uint32_t sequence, bool& answered) {
    TableBuilder::Published next = builder_.publish();
    if (next.tables == nullptr)
        return next.verdict;
    next.tables->sa_epoch = generation_;
    next.tables->version = ++published_;
    arp_.set_interfaces(next.tables->interfaces);
    parts_.shared.tables.publish(std::move(next.tables));
    unanswered_publish_ = sequence;
    answered = true;
    answer_when_adopted();
    return next.verdict;
}

void Housekeeper::answer_when_adopted() {
    const bool adopted = std::ranges::all_of(parts_.workers, [&](const Worker* worker) {
        return worker->adopted_epoch() == generation_;
    });
    if (unanswered_publish_ && adopted) {
        acknowledge(*unanswered_publish_, {});
        unanswered_publish_.reset();
        channel_->wake_control();
    }
}

void Housekeeper::acknowledge(std::uint32_t sequence, const Verdict& verdict) {
    ipc::EventRecord event{};
    event.ack.header.type = static_cast<std::uint16_t>(ipc::EventType::Ack);
    event.ack.sequence = sequence;
    event.ack.result = static_cast<std::uint16_t>(verdict.result);
    event.ack.detail = verdict.detail;
    if (!channel_->housekeeper_events().try_push(event))
        ipc::add(parts_.stats.housekeeper_stats().events_lost, 1);
}

// -----------------------------------------------------------------------------------------------
// IKE datagrams

/// records.h: commands pushed before a datagram come first. So the datagram is taken, then all
/// commands there are, and only then it goes on; each worker keeps the same order for its own ring.
/// The last worker passes it to the one before, and so on: the first has a queue on every port.
bool Housekeeper::send_injected() {
    if (channel_ == nullptr)
        return false;
    bool found_work = false;
    for (unsigned i = 0; i < kMaxDatagramsPerTurn; ++i) {
        if (!has_injected_)
            has_injected_ = channel_->inject().try_pop(injected_) == ipc::PopResult::Got;
        const bool commands_done = drain_commands(found_work);
        if (!has_injected_ || !commands_done)
            break;
        send_datagram();
        has_injected_ = false;
        found_work = true;
    }
    return found_work;
}

void Housekeeper::send_datagram() {
    Burst packets;
    const auto reason = datagrams_.build(injected_, *parts_.shared.tables.get(), packets);
    if (reason)
        drops_.count(*reason);
    for (unsigned i = 0; i < packets.count; ++i)
        if (!parts_.workers.back()->queues().inject.push(packets.packets[i]))
            drops_.drop(packets.packets[i], DropReason::HandoverFull);
}

bool Housekeeper::punt(Instant now) {
    bool pushed = false;
    std::array<rte_mbuf*, kMaxDatagramsPerTurn> packets;
    unsigned taken_of_all = 0;
    for (Worker* worker : parts_.workers) {
        const unsigned taken = worker->queues().punt.pop(packets);
        taken_of_all += taken;
        for (unsigned i = 0; i < taken; ++i) {
            to_record(packets[i], to_ns(now), punted_);
            const bool fits = channel_ != nullptr && channel_->punt().try_push(punted_);
            if (!fits)
                drops_.count(DropReason::PuntFull);
            rte_pktmbuf_free(packets[i]);
            pushed |= fits;
        }
    }
    if (pushed)
        channel_->wake_control();
    return taken_of_all > 0;
}

// -----------------------------------------------------------------------------------------------
// neighbours

bool Housekeeper::serve_arp(Instant now) {
    std::array<rte_mbuf*, kMaxSlowPacketsPerTurn> packets;
    bool found_work = false;
    for (Worker* worker : parts_.workers) {
        const unsigned arps = worker->queues().arp.pop(packets);
        for (unsigned i = 0; i < arps; ++i)
            arp_.input(packets[i], now);
        const unsigned unresolved = worker->queues().unresolved.pop(packets);
        for (unsigned i = 0; i < unresolved; ++i)
            arp_.resolve(packets[i], now);
        found_work |= arps + unresolved > 0;
    }
    return found_work;
}

void Housekeeper::send_frames() {
    for (rte_mbuf* frame : arp_.take_frames())
        if (!parts_.workers.front()->queues().frames.push(frame))
            drops_.drop(frame, DropReason::HandoverFull);
}

// -----------------------------------------------------------------------------------------------
// the slow clock

void Housekeeper::tick(Instant now) {
    next_tick_ = now + kTick;
    arp_.tick(now);
    parts_.stats.housekeeper_stats().held.store(arp_.queued(), std::memory_order_relaxed);
    for (std::uint32_t i = 0; i < parts_.ports.size(); ++i)
        parts_.ports[i].read_stats(parts_.stats.port_stats(i));
    watch_links(now);
    watch_control(now);
    report_links();
    parts_.shared.tables.reclaim();
    parts_.shared.channel.reclaim();
}

/// What it says of itself: a control that lies about living is no worse than one that does not.
void Housekeeper::watch_control(Instant now) {
    if (channel_ == nullptr)
        return;
    const auto change = control_watch_.look(channel_->control_heartbeat_ns(), now);
    if (change == StallWatch::Change::None)
        return;
    const auto tenths = control_watch_.silence() / std::chrono::milliseconds{100};
    const std::string silence =
        std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " s";
    if (change == StallWatch::Change::Stalled)
        log(Severity::Warning,
            "SYS",
            "CONTROL_STALLED",
            describe(server_.peer()) + " has shown no sign of life for " + silence +
                "; forwarding continues",
            now);
    else
        log(Severity::Notice,
            "SYS",
            "CONTROL_RESUMED",
            describe(server_.peer()) + " goes on after " + silence,
            now);
}

void Housekeeper::watch_links(Instant now) {
    for (std::uint32_t i = 0; i < parts_.ports.size(); ++i) {
        const EthPort& port = parts_.ports[i];
        const LinkState state = port.link();
        ipc::PortStats& shown = parts_.stats.port_stats(i);
        port.mac().store(shown.mac);
        shown.link_up.store(state.up ? 1 : 0, std::memory_order_relaxed);
        shown.speed_mbps.store(state.speed_mbps, std::memory_order_relaxed);
        shown.port_mtu.store(port.mtu(), std::memory_order_relaxed);
        if (state == links_[i])
            continue;
        links_[i] = state;
        link_reported_[i] = false;
        log(Severity::Notice,
            "LINK",
            "UPDOWN",
            "Interface " + port.name() + ", changed state to " + (state.up ? "up" : "down"),
            now);
    }
}

/// A link that found the event ring full is reported at the next tick.
void Housekeeper::report_links() {
    if (channel_ == nullptr || std::ranges::find(link_reported_, false) == link_reported_.end())
        return;
    for (std::uint16_t i = 0; i < parts_.ports.size(); ++i) {
        if (link_reported_[i])
            continue;
        ipc::EventRecord event{};
        event.link_change.header.type = static_cast<std::uint16_t>(ipc::EventType::LinkChange);
        event.link_change.interface = i;
        event.link_change.up = links_[i].up ? 1 : 0;
        parts_.ports[i].mac().store(event.link_change.mac);
        event.link_change.port_mtu = parts_.ports[i].mtu();
        event.link_change.speed_mbps = links_[i].speed_mbps;
        link_reported_[i] = channel_->housekeeper_events().try_push(event);
    }
    channel_->wake_control();
}

void Housekeeper::log(
    Severity severity, const char* facility, const char* mnemonic, std::string text, Instant now) {
    parts_.log.write({severity, facility, mnemonic, std::move(text), {}}, now);
}

} // namespace adit::dataplane

// SPDX-License-Identifier: Apache-2.0
#include "control/dataplane_client.h"

#include <cstring>
#include <sys/epoll.h>

namespace adit {

DataplaneClient::DataplaneClient(EventLoop& loop,
                                 Logger& log,
                                 std::string socket_path,
                                 Handlers handlers)
    : loop_(loop), log_(log), socket_path_(std::move(socket_path)), handlers_(std::move(handlers)) {
}

DataplaneClient::~DataplaneClient() {
    if (attached()) {
        loop_.remove(link_.connection.get());
        loop_.remove(link_.channel->doorbell_fd());
    }
    loop_.cancel(retry_timer_);
}

void DataplaneClient::start() {
    try_attach();
}

void DataplaneClient::try_attach() {
    const auto retry = [this] {
        retry_timer_ = loop_.call_at(MonotonicClock::now() + kRetryEvery, [this] { try_attach(); });
    };
    Result<ipc::DataplaneLink> link = ipc::connect_to_dataplane(socket_path_);
    if (!link) {
        // Said once, not five times a second.
        if (trouble_ != link.error().text) {
            trouble_ = link.error().text;
            log_.write({Severity::Warning, "SYS", "DATAPLANE_UNREACHABLE", trouble_, ""},
                       MonotonicClock::now());
        }
        retry();
        return;
    }
    link_ = std::move(*link);
    ports_.clear();
    ports_.resize(link_.channel->config().workers + 1);
    for (std::uint32_t worker = 0; worker + 1 < ports_.size(); ++worker) {
        ports_[worker].ring = &link_.channel->commands(worker);
        ports_[worker].events = &link_.channel->events(worker);
    }
    ports_.back().ring = &link_.channel->housekeeper_commands();
    ports_.back().events = &link_.channel->housekeeper_events();

    const auto watch = [this](int fd, EventLoop::FdCallback callback) {
        const Status added = loop_.add(fd, EPOLLIN, std::move(callback));
        ENSURE(added.has_value());
    };
    // The doorbell only wakes the loop: turn() looks at the rings anyway, and awake() empties it.
    watch(link_.channel->doorbell_fd(), [](std::uint32_t) {});
    watch(link_.connection.get(), [this](std::uint32_t) {
        if (attached() && ipc::connection_closed(link_.connection.get()))
            detach("the process is gone");
    });
    const bool known = link_.channel->boot_id() == last_boot_id_;
    last_boot_id_ = link_.channel->boot_id();
    takes_datagrams_ = false;
    trouble_.clear();
    log_.write({Severity::Notice,
                "SYS",
                "DATAPLANE_ATTACHED",
                "adit-dataplane pid " + std::to_string(link_.channel->dataplane_pid()) + ", " +
                    std::to_string(link_.channel->config().workers) + " worker(s)",
                ""},
               MonotonicClock::now());
    handlers_.attached(known);
}

void DataplaneClient::detach(const std::string& reason) {
    const std::uint32_t pid = link_.channel->dataplane_pid();
    loop_.remove(link_.connection.get());
    loop_.remove(link_.channel->doorbell_fd());
    ports_.clear();
    waiting_datagrams_.clear();
    link_ = {};
    trouble_ = "adit-dataplane (pid " + std::to_string(pid) + ") lost: " + reason;
    log_.write({Severity::Error, "SYS", "DATAPLANE_LOST", trouble_, ""}, MonotonicClock::now());
    handlers_.lost();
    retry_timer_ = loop_.call_at(MonotonicClock::now() + kRetryEvery, [this] { try_attach(); });
}

void DataplaneClient::command_worker(WorkerId worker,
                                     ipc::CommandRecord record,
                                     AckCallback on_ack) {
    if (!attached())
        return;
    ENSURE(worker.value + 1U < ports_.size());
    enqueue(ports_[worker.value], record, std::move(on_ack));
}

void DataplaneClient::command_housekeeper(ipc::CommandRecord record, AckCallback on_ack) {
    if (attached())
        enqueue(ports_.back(), record, std::move(on_ack));
}

void DataplaneClient::enqueue(CommandPort& port, ipc::CommandRecord& record, AckCallback on_ack) {
    record.header.sequence = port.next_sequence++;
    port.unanswered.emplace_back(record.header.sequence, std::move(on_ack));
    if (!port.waiting.empty() || !port.ring->try_push(record))
        port.waiting.push_back(record);
    wipe(&record, sizeof record); // it may hold keys
}

void DataplaneClient::flush(CommandPort& port) {
    while (!port.waiting.empty() && port.ring->try_push(port.waiting.front())) {
        wipe(&port.waiting.front(), sizeof(ipc::CommandRecord));
        port.waiting.pop_front();
    }
}

void DataplaneClient::inject(const ipc::DatagramRecord& datagram) {
    if (!attached() || waiting_datagrams_.size() >= kMaxWaitingDatagrams) {
        ++datagrams_dropped_;
        return;
    }
    auto copy = std::make_unique<ipc::DatagramRecord>();
    std::memcpy(
        static_cast<void*>(copy.get()), &datagram, ipc::kDatagramHeaderBytes + datagram.length);
    waiting_datagrams_.push_back(std::move(copy));
    flush_datagrams();
}

void DataplaneClient::flush_datagrams() {
    for (const CommandPort& port : ports_)
        if (!port.waiting.empty())
            return;
    while (!waiting_datagrams_.empty() &&
           link_.channel->inject().try_push(*waiting_datagrams_.front()))
        waiting_datagrams_.pop_front();
}

bool DataplaneClient::take_ack(CommandPort& port, const ipc::Ack& ack) {
    if (port.unanswered.empty() || port.unanswered.front().first != ack.sequence)
        return false;
    const AckCallback callback = std::move(port.unanswered.front().second);
    port.unanswered.pop_front();
    if (callback)
        callback(static_cast<ipc::AckResult>(ack.result), ack.detail);
    return true;
}

bool DataplaneClient::take_events(CommandPort& port) {
    ipc::EventRecord event;
    for (unsigned i = 0; i < kBudget && port.events->try_pop(event) == ipc::PopResult::Got; ++i) {
        if (event.header.type != static_cast<std::uint16_t>(ipc::EventType::Ack))
            handlers_.event(event);
        else if (!take_ack(port, event.ack))
            return false;
    }
    return true;
}

void DataplaneClient::take_datagrams() {
    static thread_local ipc::DatagramRecord datagram; // 10 kB: not on the stack
    for (unsigned i = 0; i < kBudget && attached() && takes_datagrams_ &&
                         link_.channel->punt().try_pop(datagram) == ipc::PopResult::Got;
         ++i)
        handlers_.datagram(datagram);
}

void DataplaneClient::turn() {
    if (!attached())
        return;
    link_.channel->awake();
    link_.channel->beat(MonotonicClock::now());
    for (CommandPort& port : ports_) {
        if (!take_events(port)) {
            detach("it answered a command that was never given");
            return;
        }
        flush(port);
    }
    take_datagrams();
    flush_datagrams();
    // Nothing rings when the dataplane empties the inject ring: look again soon.
    if (!waiting_datagrams_.empty())
        loop_.call_at(MonotonicClock::now() + std::chrono::milliseconds{1}, [] {});
    if (link_.channel->broken())
        detach("it wrote something impossible into a ring");
}

bool DataplaneClient::busy() {
    if (!attached())
        return false;
    // Acks make room: what waits is flushed when they ring.
    return !link_.channel->prepare_to_sleep();
}

bool DataplaneClient::drained() const {
    if (!waiting_datagrams_.empty())
        return false;
    for (const CommandPort& port : ports_)
        if (!port.waiting.empty() || !port.unanswered.empty())
            return false;
    return true;
}

} // namespace adit

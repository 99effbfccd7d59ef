// SPDX-License-Identifier: Apache-2.0
// Control's end of one worker's rings: numbers the commands and checks that each is acknowledged
// once, in order and with Ok. Aborts when one is not, or when the worker has anything else to say:
// then the figures would mean nothing.
//
// Threading: one thread, which need not be the worker's.
#pragma once

#include "common/error.h"
#include "common/ipc/channel.h"

#include <cstdint>

namespace adit::perf {

class CommandStream {
  public:
    CommandStream(ipc::ControlChannel& control, WorkerId worker)
        : commands_(&control.commands(worker.value)), events_(&control.events(worker.value)) {}

    /// False: the ring is full; take Acks and try again.
    [[nodiscard]] bool try_install(const ipc::InstallSa& sa) {
        ipc::CommandRecord command{};
        command.install_sa = sa;
        return try_push(command, ipc::CommandType::InstallSa);
    }

    /// Removes what `sa` installed.
    [[nodiscard]] bool try_remove(const ipc::InstallSa& sa) {
        ipc::CommandRecord command{};
        command.remove_sa.sa_id = sa.sa_id;
        command.remove_sa.slot = sa.slot;
        command.remove_sa.direction = sa.direction;
        return try_push(command, ipc::CommandType::RemoveSa);
    }

    void take_acks() {
        ipc::EventRecord event{};
        while (events_->try_pop(event) == ipc::PopResult::Got) {
            ENSURE(event.header.type == static_cast<std::uint16_t>(ipc::EventType::Ack));
            ENSURE(event.ack.result == static_cast<std::uint16_t>(ipc::AckResult::Ok));
            ENSURE(event.ack.sequence == ++acknowledged_);
        }
    }

    [[nodiscard]] bool settled() const { return acknowledged_ == pushed_; }

    /// Commands so far.
    [[nodiscard]] std::uint32_t pushed() const { return pushed_; }

  private:
    bool try_push(ipc::CommandRecord& command, ipc::CommandType type) {
        command.header.type = static_cast<std::uint16_t>(type);
        command.header.sequence = pushed_ + 1;
        if (!commands_->try_push(command))
            return false;
        ++pushed_;
        return true;
    }

    ipc::RingProducer<ipc::CommandRecord>* commands_;
    ipc::RingConsumer<ipc::EventRecord>* events_;
    std::uint32_t pushed_{0};
    std::uint32_t acknowledged_{0};
};

} // namespace adit::perf

// SPDX-License-Identifier: Apache-2.0
// A ring in ordinary memory of exactly its size, so that the address sanitizer sees a step outside,
// with both peers' indices open to the test.
#pragma once

#include "common/ipc/spsc_ring.h"

#include <memory>
#include <vector>

namespace adit::ipc {

template <class T> struct HeapRing {
    explicit HeapRing(std::uint32_t slot_count)
        : capacity(slot_count), slots(slots_bytes<T>(slot_count)) {}

    RingProducer<T> producer() { return {tail, head, slots.data(), capacity}; }

    RingConsumer<T> consumer() { return {tail, head, slots.data(), capacity}; }

    std::uint8_t* slot(std::uint32_t index) { return slots.data() + index * kSlotBytes<T>; }

    /// As a new attachment would find it.
    void reset() {
        tail.value.store(0, std::memory_order_relaxed);
        head.value.store(0, std::memory_order_relaxed);
    }

    RingIndex tail;
    RingIndex head;
    std::uint32_t capacity;
    std::vector<std::uint8_t> slots;
};

inline EventRecord numbered_event(std::uint32_t number) {
    EventRecord record{};
    record.ack = Ack{.header = {.type = static_cast<std::uint16_t>(EventType::Ack)},
                     .sequence = number,
                     .detail = ~number};
    return record;
}

inline CommandRecord numbered_command(std::uint32_t number) {
    CommandRecord record;
    for (std::size_t index = 0; index < sizeof record.bytes; ++index)
        record.bytes[index] = static_cast<std::uint8_t>(number * 31 + index);
    record.header.sequence = number;
    return record;
}

inline bool same(const CommandRecord& left, const CommandRecord& right) {
    return std::memcmp(&left, &right, sizeof left) == 0;
}

} // namespace adit::ipc

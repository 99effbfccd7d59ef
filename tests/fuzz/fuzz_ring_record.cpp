// SPDX-License-Identifier: Apache-2.0
// Popping records from a region full of a stranger's octets: the tail and then the slots come from
// the input. Whatever they hold, reading ends, stays inside the ring, and gives lengths in bounds.
#include "common/ipc/layout.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

namespace {

using namespace adit;
using namespace adit::ipc;

constexpr std::uint32_t kSlots = 4;

template <class T> bool length_in_bounds(const T& record) {
    if constexpr (PrefixRecord<T>)
        return RecordTraits<T>::kHeaderBytes + RecordTraits<T>::payload_bytes(record) <= sizeof(T);
    else
        return true;
}

template <class T> void pop_all(ByteView input) {
    RingIndex tail;
    RingIndex head;
    std::vector<std::uint8_t> slots(slots_bytes<T>(kSlots));
    std::uint64_t claimed = 0;
    std::memcpy(&claimed, input.data(), std::min(input.size(), sizeof claimed));
    tail.value.store(claimed, std::memory_order_relaxed);
    const ByteView content = input.subspan(std::min(input.size(), sizeof claimed));
    std::memcpy(slots.data(), content.data(), std::min(content.size(), slots.size()));

    RingConsumer<T> consumer{tail, head, slots.data(), kSlots};
    const auto out = std::make_unique<T>();
    std::uint64_t pops = 0;
    PopResult result = PopResult::Empty;
    while ((result = consumer.try_pop(*out)) == PopResult::Got) {
        ENSURE(length_in_bounds(*out));
        ENSURE(++pops <= kSlots);
    }
    ENSURE(consumer.broken() == (result == PopResult::Broken));
    ENSURE(claimed <= kSlots || result == PopResult::Broken);
    ENSURE(head.value.load(std::memory_order_relaxed) == pops);
}

void read_header(ByteView input) {
    RegionHeader header{};
    std::memcpy(&header, input.data(), std::min(input.size(), sizeof header));
    for (const RegionKind kind : {RegionKind::Stats, RegionKind::Up, RegionKind::Down}) {
        const auto config = check_header(header, kind, header.size_bytes);
        ENSURE(!config || check(*config));
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView input{data, size};
    if (input.empty())
        return 0;
    pop_all<CommandRecord>(input);
    pop_all<EventRecord>(input);
    pop_all<DatagramRecord>(input);
    read_header(input);
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
// Single-producer single-consumer ring of fixed-size records between two processes that do not
// trust each other.
//
//    producer's region                          consumer's region
//    +--------+ +-------+-------+---+-------+   +--------+
//    |  tail  | | slot  | slot  |...| slot  |   |  head  |
//    +--------+ +-------+-------+---+-------+   +--------+
//      records ever pushed                        records ever popped
//
// Each side writes only its own index. Its own index, the capacity and the place of the slots are
// kept in private memory; the shared copy of its own index is written, never read back. The peer's
// index is loaded once per look and believed only if `tail - head <= capacity`. The private copy of
// the peer's index is looked up again only when it says "full" or "empty", so an index that runs
// ahead, moves backwards or is garbage fails this one comparison: the ring is then broken, is never
// followed again, and ends with its attachment (a new attachment has new rings).
//
// Indices are 64-bit and count for ever: at 10^9 records a second they wrap after 584 years.
//
// Threading: one thread is the producer, one the consumer. No call waits, allocates or enters the
// kernel. Errors: "full" is a value for the caller to handle; it is also counted.
#pragma once

#include "common/error.h"
#include "common/ipc/record_traits.h"
#include "common/secret.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace adit::ipc {

inline constexpr std::size_t kCacheLineBytes = 64;

/// Alone on its line and on the neighbour that the hardware prefetches along with it.
struct alignas(2 * kCacheLineBytes) RingIndex {
    std::atomic<std::uint64_t> value{0};
};

static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

/// Bounds of a ring's capacity, a power of two.
inline constexpr std::uint32_t kMinRingSlots = 2;
inline constexpr std::uint32_t kMaxRingSlots = 65'536;

constexpr bool is_ring_capacity(std::uint64_t slots) {
    return slots >= kMinRingSlots && slots <= kMaxRingSlots && (slots & (slots - 1)) == 0;
}

/// Slots start on cache lines, so that neighbours do not share one.
template <class T>
inline constexpr std::size_t kSlotBytes =
    (sizeof(T) + kCacheLineBytes - 1) / kCacheLineBytes * kCacheLineBytes;

template <class T> inline constexpr std::size_t slots_bytes(std::uint32_t slots) {
    return slots * kSlotBytes<T>;
}

template <class T> class alignas(2 * kCacheLineBytes) RingProducer {
    static_assert(std::is_trivially_copyable_v<T>);

  public:
    /// `slots` points to slots_bytes<T>(capacity) octets. The shared indices must be zero.
    RingProducer(RingIndex& tail,
                 const RingIndex& head,
                 std::uint8_t* slots,
                 std::uint32_t capacity)
        : shared_tail_(&tail), shared_head_(&head), slots_(slots), mask_(capacity - 1) {
        ENSURE(is_ring_capacity(capacity));
    }

    /// False: full (counted), or broken. A record with a payload is copied as far as it is used.
    [[nodiscard]] bool try_push(const T& record) {
        if constexpr (PrefixRecord<T>)
            return try_push_prefix(
                record, RecordTraits<T>::kHeaderBytes + RecordTraits<T>::payload_bytes(record));
        else
            return try_push_prefix(record, sizeof(T));
    }

    /// Copies only the first `used_bytes` of the record; the rest of the slot keeps what it held.
    [[nodiscard]] bool try_push_prefix(const T& record, std::size_t used_bytes) {
        ENSURE(used_bytes <= sizeof(T));
        if (tail_ - seen_head_ > mask_ && !find_room()) [[unlikely]] {
            ++full_;
            return false;
        }
        std::memcpy(slots_ + (tail_ & mask_) * kSlotBytes<T>, &record, used_bytes);
        ++tail_;
        // Release: whoever acquires this tail sees the record written above.
        shared_tail_->value.store(tail_, std::memory_order_release);
        return true;
    }

    /// Records that fit now, so that a caller can push several or none.
    [[nodiscard]] std::uint64_t room() {
        find_room();
        return broken_ ? 0 : capacity() - (tail_ - seen_head_);
    }

    [[nodiscard]] std::uint32_t capacity() const { return mask_ + 1; }

    /// Pushes refused so far.
    [[nodiscard]] std::uint64_t full_count() const { return full_; }

    /// The consumer published an impossible index. Final.
    [[nodiscard]] bool broken() const { return broken_; }

  private:
    bool find_room() {
        if (broken_)
            return false;
        // Acquire: the consumer has finished reading (and wiping) the slots before this head, so
        // nothing written below can mix with what it read. One load: the value checked is the value
        // used.
        const std::uint64_t head = shared_head_->value.load(std::memory_order_acquire);
        if (tail_ - head > capacity() || head - seen_head_ > capacity()) {
            broken_ = true;
            // Looks full from here on, so that the fast path needs no flag.
            seen_head_ = tail_ - capacity();
            return false;
        }
        seen_head_ = head;
        return tail_ - head <= mask_;
    }

    RingIndex* shared_tail_;
    const RingIndex* shared_head_;
    std::uint8_t* slots_;
    std::uint32_t mask_;
    bool broken_{false};
    std::uint64_t tail_{0};
    std::uint64_t seen_head_{0};
    std::uint64_t full_{0};
};

enum class PopResult : std::uint8_t {
    Got,
    Empty,
    Broken, // the producer published an impossible index or length; final
};

template <class T> class alignas(2 * kCacheLineBytes) RingConsumer {
    static_assert(std::is_trivially_copyable_v<T>);

  public:
    /// A consumer of keys writes into the slots: it wipes them. Any other may map them read-only.
    using SlotByte =
        std::conditional_t<RecordTraits<T>::kHoldsKeys, std::uint8_t, const std::uint8_t>;

    RingConsumer(const RingIndex& tail, RingIndex& head, SlotByte* slots, std::uint32_t capacity)
        : shared_tail_(&tail), shared_head_(&head), slots_(slots), mask_(capacity - 1) {
        ENSURE(is_ring_capacity(capacity));
    }

    /// Got: `out` is a private copy, still to be validated; of a record with a payload only the
    /// used part is written. A caller of key-carrying records wipes `out` itself when done with it.
    [[nodiscard]] PopResult try_pop(T& out) {
        if (head_ == seen_tail_) {
            const PopResult looked = look();
            if (looked != PopResult::Got)
                return looked;
        }
        SlotByte* slot = slots_ + (head_ & mask_) * kSlotBytes<T>;
        if (!copy_out(out, slot)) {
            broken_ = true;
            seen_tail_ = head_;
            return PopResult::Broken;
        }
        if constexpr (RecordTraits<T>::kHoldsKeys)
            wipe(slot, sizeof(T));
        ++head_;
        // Release: the copy (and the wipe) above happen before the producer may reuse the slot.
        shared_head_->value.store(head_, std::memory_order_release);
        return PopResult::Got;
    }

    /// True when try_pop would not say Empty. Takes no record; for the check before going to sleep.
    [[nodiscard]] bool ready() const {
        // Acquire: orders this look after the caller's announcement that it sleeps (channel.h).
        return broken_ || head_ != shared_tail_->value.load(std::memory_order_acquire);
    }

    [[nodiscard]] std::uint32_t capacity() const { return mask_ + 1; }

    [[nodiscard]] std::uint64_t popped() const { return head_; }

    [[nodiscard]] bool broken() const { return broken_; }

  private:
    PopResult look() {
        if (broken_)
            return PopResult::Broken;
        // Acquire: pairs with the producer's release; the records before this tail are visible. One
        // load: the value checked is the value used.
        const std::uint64_t tail = shared_tail_->value.load(std::memory_order_acquire);
        if (tail == head_)
            return PopResult::Empty;
        if (tail - head_ > capacity()) { // ahead by more than fits, or behind what was popped
            broken_ = true;
            return PopResult::Broken;
        }
        seen_tail_ = tail;
        return PopResult::Got;
    }

    static bool copy_out(T& out, SlotByte* slot) {
        if constexpr (PrefixRecord<T>) {
            std::memcpy(&out, slot, RecordTraits<T>::kHeaderBytes);
            forget_shared_memory();
            const std::size_t payload = RecordTraits<T>::payload_bytes(out);
            if (payload > sizeof(T) - RecordTraits<T>::kHeaderBytes)
                return false;
            auto* const to = static_cast<std::uint8_t*>(static_cast<void*>(&out));
            std::memcpy(
                to + RecordTraits<T>::kHeaderBytes, slot + RecordTraits<T>::kHeaderBytes, payload);
        } else {
            std::memcpy(&out, slot, sizeof(T));
        }
        forget_shared_memory();
        return true;
    }

    /// The compiler may otherwise answer a later read of the copy by reading the slot again: to it
    /// both are the same, to a hostile producer they are not.
    static void forget_shared_memory() { __asm__ volatile("" ::: "memory"); }

    const RingIndex* shared_tail_;
    RingIndex* shared_head_;
    SlotByte* slots_;
    std::uint32_t mask_;
    bool broken_{false};
    std::uint64_t head_{0};
    std::uint64_t seen_tail_{0};
};

} // namespace adit::ipc

// SPDX-License-Identifier: Apache-2.0
// What a ring must know about a record type beyond its size: whether it carries keys, and whether
// only its used part is copied.
#pragma once

#include "common/ipc/records.h"

#include <concepts>
#include <cstddef>

namespace adit::ipc {

/// The plain case: copied whole, nothing to hide.
template <class T> struct RecordTraits {
    /// The consumer zeroes the slot before it gives it back.
    static constexpr bool kHoldsKeys = false;
};

template <> struct RecordTraits<CommandRecord> {
    static constexpr bool kHoldsKeys = true;
};

/// A record with a header of fixed size that says how many octets of payload follow it.
template <> struct RecordTraits<DatagramRecord> {
    static constexpr bool kHoldsKeys = false;
    static constexpr std::size_t kHeaderBytes = kDatagramHeaderBytes;

    /// May exceed what a record holds: the header comes from another process.
    static std::size_t payload_bytes(const DatagramRecord& record) { return record.length; }
};

template <class T>
concept PrefixRecord = requires(const T& record) {
    { RecordTraits<T>::kHeaderBytes } -> std::convertible_to<std::size_t>;
    { RecordTraits<T>::payload_bytes(record) } -> std::same_as<std::size_t>;
};

} // namespace adit::ipc

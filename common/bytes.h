// SPDX-License-Identifier: Apache-2.0
// Bounds-checked, big-endian reading and writing of byte sequences. All numbers on the wire are in
// network order (RFC 791 appendix B); these are the only places that swap.
//
// Threading: values; a Reader or Writer belongs to one thread.
#pragma once

#include "common/error.h"

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace adit {

using ByteView = std::span<const std::uint8_t>;
using MutableBytes = std::span<std::uint8_t>;
using Bytes = std::vector<std::uint8_t>;

template <std::unsigned_integral T> [[nodiscard]] inline T load_be(const std::uint8_t* from) {
    T value;
    std::memcpy(&value, from, sizeof value);
    if constexpr (sizeof(T) == 2)
        return __builtin_bswap16(value);
    else if constexpr (sizeof(T) == 4)
        return __builtin_bswap32(value);
    else if constexpr (sizeof(T) == 8)
        return __builtin_bswap64(value);
    else
        return value;
}

template <std::unsigned_integral T> inline void store_be(std::uint8_t* to, T value) {
    if constexpr (sizeof(T) == 2)
        value = __builtin_bswap16(value);
    else if constexpr (sizeof(T) == 4)
        value = __builtin_bswap32(value);
    else if constexpr (sizeof(T) == 8)
        value = __builtin_bswap64(value);
    std::memcpy(to, &value, sizeof value);
}

/// Bytes of a text, for hashing and for identities.
inline ByteView as_bytes(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

inline std::string to_text(ByteView bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline Bytes to_bytes(ByteView view) {
    return {view.begin(), view.end()};
}

/// Lower-case hex without separators.
std::string to_hex(ByteView bytes);
/// Inverse of to_hex; accepts both cases. Invalid when the length is odd or a digit is not hex.
Result<Bytes> from_hex(std::string_view text);

/// Consumes a byte sequence front to back. Every read checks what is left; a sub-reader made by
/// `take` cannot see past its own length.
class Reader {
  public:
    explicit Reader(ByteView bytes) : rest_(bytes) {}

    [[nodiscard]] std::size_t left() const { return rest_.size(); }

    [[nodiscard]] bool empty() const { return rest_.empty(); }

    [[nodiscard]] ByteView rest() const { return rest_; }

    template <std::unsigned_integral T> Result<T> read() {
        if (rest_.size() < sizeof(T))
            return fail(ErrorCode::Truncated,
                        "need " + std::to_string(sizeof(T)) + " octets, have " +
                            std::to_string(rest_.size()));
        const T value = load_be<T>(rest_.data());
        rest_ = rest_.subspan(sizeof(T));
        return value;
    }

    Result<std::uint8_t> u8() { return read<std::uint8_t>(); }

    Result<std::uint16_t> u16() { return read<std::uint16_t>(); }

    Result<std::uint32_t> u32() { return read<std::uint32_t>(); }

    Result<std::uint64_t> u64() { return read<std::uint64_t>(); }

    Result<ByteView> take(std::size_t length_bytes) {
        if (rest_.size() < length_bytes)
            return fail(ErrorCode::Truncated,
                        "need " + std::to_string(length_bytes) + " octets, have " +
                            std::to_string(rest_.size()));
        const ByteView taken = rest_.first(length_bytes);
        rest_ = rest_.subspan(length_bytes);
        return taken;
    }

  private:
    ByteView rest_;
};

/// Appends to a byte sequence it owns. `patch_*` fills in lengths known only later.
class Writer {
  public:
    void u8(std::uint8_t value) { bytes_.push_back(value); }

    void u16(std::uint16_t value) { append_be(value); }

    void u32(std::uint32_t value) { append_be(value); }

    void u64(std::uint64_t value) { append_be(value); }

    void append(ByteView view) { bytes_.insert(bytes_.end(), view.begin(), view.end()); }

    void zeros(std::size_t count) { bytes_.insert(bytes_.end(), count, 0); }

    [[nodiscard]] std::size_t size() const { return bytes_.size(); }

    [[nodiscard]] ByteView view() const { return bytes_; }

    void patch_u8(std::size_t offset, std::uint8_t value) { bytes_.at(offset) = value; }

    void patch_u16(std::size_t offset, std::uint16_t value) {
        ENSURE(offset + sizeof value <= bytes_.size());
        store_be(bytes_.data() + offset, value);
    }

    void patch_u32(std::size_t offset, std::uint32_t value) {
        ENSURE(offset + sizeof value <= bytes_.size());
        store_be(bytes_.data() + offset, value);
    }

    [[nodiscard]] Bytes take() && { return std::move(bytes_); }

  private:
    template <std::unsigned_integral T> void append_be(T value) {
        const std::size_t offset = bytes_.size();
        bytes_.resize(offset + sizeof value);
        store_be(bytes_.data() + offset, value);
    }

    Bytes bytes_;
};

} // namespace adit

// SPDX-License-Identifier: Apache-2.0
// Key material: move-only, wiped on destruction and on move, compared in constant time, never
// formatted. A secret lends a span to the callee that needs it and is never copied by accident.
#pragma once

#include "common/bytes.h"

#include <cstring>

namespace adit {

/// Overwrites memory in a way the compiler may not remove.
void wipe(void* memory, std::size_t length_bytes);

/// True when both have the same length and content; time depends only on the lengths.
[[nodiscard]] bool equal_constant_time(ByteView left, ByteView right);

class SecretBuffer {
  public:
    SecretBuffer() = default;

    explicit SecretBuffer(std::size_t length_bytes) : bytes_(length_bytes) {}

    explicit SecretBuffer(ByteView from) : bytes_(from.begin(), from.end()) {}

    SecretBuffer(const SecretBuffer&) = delete;
    SecretBuffer& operator=(const SecretBuffer&) = delete;

    SecretBuffer(SecretBuffer&& other) noexcept : bytes_(std::move(other.bytes_)) {
        other.bytes_.clear();
    }

    SecretBuffer& operator=(SecretBuffer&& other) noexcept {
        if (this != &other) {
            clear();
            bytes_ = std::move(other.bytes_);
            other.bytes_.clear();
        }
        return *this;
    }

    ~SecretBuffer() { clear(); }

    [[nodiscard]] ByteView view() const { return bytes_; }

    [[nodiscard]] MutableBytes writable() { return bytes_; }

    [[nodiscard]] std::size_t size() const { return bytes_.size(); }

    [[nodiscard]] bool empty() const { return bytes_.empty(); }

    /// An explicit copy; there is no implicit one.
    [[nodiscard]] SecretBuffer clone() const { return SecretBuffer{ByteView{bytes_}}; }

    void clear() {
        wipe(bytes_.data(), bytes_.size());
        bytes_.clear();
    }

    friend bool operator==(const SecretBuffer& left, const SecretBuffer& right) {
        return equal_constant_time(left.view(), right.view());
    }

  private:
    Bytes bytes_;
};

} // namespace adit

// SPDX-License-Identifier: Apache-2.0
// Values to octets and back, for the next process on this machine: in the machine's own order, of
// one version of the program. What a type consists of is said once, by a function
//
//     template <class Codec, As<Endpoint> T> void fields(Codec& codec, T& endpoint) {
//         codec(endpoint.address, endpoint.port);
//     }
//
// that a Saver calls with a const value and a Loader with one to fill.
//
// Threading: values. Errors: a Loader that meets the end, or a number outside its bounds, stops
// filling and says so by failed().
#pragma once

#include "common/bytes.h"
#include "common/clock.h"
#include "common/secret.h"
#include "common/types.h"

#include <array>
#include <concepts>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

namespace adit::ike {

template <class T, class U>
concept As = std::same_as<std::remove_const_t<T>, U>;

/// One past the last value of an enumeration whose values index arrays.
template <class Enum> inline constexpr std::uint64_t kEndOf = ~std::uint64_t{0};

class Saver {
  public:
    template <class... Fields> void operator()(const Fields&... values) { (save(values), ...); }

    [[nodiscard]] SecretBuffer take() const { return SecretBuffer{writer_.view()}; }

    Saver() = default;
    Saver(const Saver&) = delete;
    Saver& operator=(const Saver&) = delete;

    ~Saver() {
        Bytes spent = std::move(writer_).take();
        wipe(spent.data(), spent.size());
    }

  private:
    template <class T>
        requires std::integral<T> || std::is_enum_v<T>
    void save(T value) {
        std::uint8_t octets[sizeof value];
        std::memcpy(octets, &value, sizeof value);
        writer_.append(octets);
    }

    template <class Tag, class Int> void save(const Strong<Tag, Int>& value) { save(value.value); }

    void save(Duration value) { save(value.count()); }

    void save(Instant value) { save(value.time_since_epoch()); }

    void save(ByteView octets) {
        save(static_cast<std::uint32_t>(octets.size()));
        writer_.append(octets);
    }

    void save(const Bytes& octets) { save(ByteView{octets}); }

    void save(const std::string& text) { save(as_bytes(text)); }

    void save(const SecretBuffer& secret) { save(secret.view()); }

    template <class T, std::size_t N> void save(const std::array<T, N>& values) {
        for (const T& value : values)
            save(value);
    }

    template <class T> void save(const std::vector<T>& values) {
        save(static_cast<std::uint32_t>(values.size()));
        for (const T& value : values)
            save(value);
    }

    template <class T> void save(const std::optional<T>& value) {
        save(value.has_value());
        if (value)
            save(*value);
    }

    template <class T> void save(const std::unique_ptr<T>& value) {
        save(value != nullptr);
        if (value != nullptr)
            save(*value);
    }

    template <class T>
        requires std::is_class_v<T>
    void save(const T& value) {
        fields(*this, value);
    }

    Writer writer_;
};

class Loader {
  public:
    explicit Loader(ByteView octets) : reader_(octets) {}

    template <class... Fields> void operator()(Fields&... values) { (load(values), ...); }

    [[nodiscard]] bool failed() const { return failed_; }

    /// Everything was read, and nothing is left.
    [[nodiscard]] bool done() const { return !failed_ && reader_.empty(); }

  private:
    ByteView take(std::size_t bytes) {
        const auto taken = failed_ ? Result<ByteView>{ByteView{}} : reader_.take(bytes);
        failed_ = failed_ || !taken;
        return taken ? *taken : ByteView{};
    }

    template <class T>
        requires std::integral<T> || std::is_enum_v<T>
    void load(T& value) {
        const ByteView octets = take(sizeof value);
        if (octets.size() != sizeof value)
            return;
        if constexpr (std::is_enum_v<T>) {
            std::underlying_type_t<T> number{};
            std::memcpy(&number, octets.data(), sizeof number);
            failed_ = static_cast<std::uint64_t>(number) >= kEndOf<T>;
            value = failed_ ? T{} : static_cast<T>(number);
        } else if constexpr (std::same_as<T, bool>) {
            value = octets[0] != 0;
        } else {
            std::memcpy(&value, octets.data(), sizeof value);
        }
    }

    template <class Tag, class Int> void load(Strong<Tag, Int>& value) { load(value.value); }

    void load(Duration& value) {
        Duration::rep count{};
        load(count);
        value = Duration{count};
    }

    void load(Instant& value) {
        Duration since{};
        load(since);
        value = Instant{since};
    }

    ByteView take_counted() {
        std::uint32_t count{};
        load(count);
        return take(count);
    }

    void load(Bytes& octets) { octets = to_bytes(take_counted()); }

    void load(std::string& text) { text = to_text(take_counted()); }

    void load(SecretBuffer& secret) { secret = SecretBuffer{take_counted()}; }

    template <class T, std::size_t N> void load(std::array<T, N>& values) {
        for (T& value : values)
            load(value);
    }

    template <class T> void load(std::vector<T>& values) {
        std::uint32_t count{};
        load(count);
        // Each takes an octet at least: no count makes us take more memory than the record is long.
        values.resize(failed_ || count > reader_.left() ? 0 : count);
        failed_ = failed_ || values.size() != count;
        for (T& value : values)
            load(value);
    }

    template <class T> void load(std::optional<T>& value) {
        bool there{};
        load(there);
        if (there)
            load(value.emplace());
        else
            value.reset();
    }

    template <class T> void load(std::unique_ptr<T>& value) {
        bool there{};
        load(there);
        value = there ? std::make_unique<T>() : nullptr;
        if (there)
            load(*value);
    }

    template <class T>
        requires std::is_class_v<T>
    void load(T& value) {
        fields(*this, value);
    }

    Reader reader_;
    bool failed_{false};
};

} // namespace adit::ike

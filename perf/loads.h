// SPDX-License-Identifier: Apache-2.0
// Packet sizes. A size is that of the inner IPv4 packet; IMIX is 7 : 4 : 1 of 64, 576 and 1400
// octets, shuffled.
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <iterator>
#include <optional>
#include <random>
#include <string>
#include <string_view>

namespace adit::perf {

/// Packets in flight between source and sink: more than L1 holds, less than L2, as in a pool that
/// goes round.
inline constexpr unsigned kPackets = 512;

inline constexpr std::uint16_t kMinOctets = 64;
inline constexpr std::uint16_t kMaxOctets = 1400;

struct Load {
    std::string name;
    std::array<std::uint16_t, kPackets> octets; // one per packet in flight
    double mean;
};

inline Load uniform(std::uint16_t octets) {
    Load load{.name = std::to_string(octets), .octets = {}, .mean = static_cast<double>(octets)};
    load.octets.fill(octets);
    return load;
}

inline Load imix() {
    constexpr std::uint16_t kPattern[] = {64, 64, 64, 64, 64, 64, 64, 576, 576, 576, 576, 1400};
    Load load{.name = "imix", .octets = {}, .mean = 0};
    for (unsigned i = 0; i < kPackets; ++i)
        load.octets[i] = kPattern[i % std::size(kPattern)];
    std::shuffle(load.octets.begin(), load.octets.end(), std::mt19937{1});
    for (const std::uint16_t octets : load.octets)
        load.mean += octets;
    load.mean /= kPackets;
    return load;
}

/// "imix" or a size; nothing when it is neither.
inline std::optional<Load> find_load(std::string_view name) {
    if (name == "imix")
        return imix();
    std::uint16_t octets = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), octets);
    if (error != std::errc{} || end != name.data() + name.size() || octets < kMinOctets ||
        octets > kMaxOctets)
        return std::nullopt;
    return uniform(octets);
}

} // namespace adit::perf

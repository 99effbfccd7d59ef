// SPDX-License-Identifier: Apache-2.0
// Explicit congestion notification through tunnels (RFC 6040). Outwards the field is copied (normal
// mode); inwards the two are combined by the table of figure 4.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

namespace adit::dataplane {

/// RFC 3168 5: the two low bits of the TOS octet.
enum class Ecn : std::uint8_t {
    NotEct = 0,
    Ect1 = 1,
    Ect0 = 2,
    Ce = 3,
};

inline constexpr std::uint8_t kEcnMask = 3;

constexpr Ecn ecn_of(std::uint8_t tos) {
    return static_cast<Ecn>(tos & kEcnMask);
}

/// What the inner packet leaves the tunnel with; nothing: it must be dropped, because the path saw
/// congestion and the sender would not understand being told.
constexpr std::optional<Ecn> decapsulated_ecn(Ecn inner, Ecn outer) {
    // RFC 6040 4.2, figure 4, rows by inner, columns by outer, both in the order of the code
    // points.
    constexpr std::array<std::array<std::optional<Ecn>, 4>, 4> kFigure4 = {{
        // outer:  Not-ECT      ECT(1)       ECT(0)       CE
        {{Ecn::NotEct, Ecn::NotEct, Ecn::NotEct, std::nullopt}}, // inner Not-ECT
        {{Ecn::Ect1, Ecn::Ect1, Ecn::Ect1, Ecn::Ce}},            // inner ECT(1)
        {{Ecn::Ect0, Ecn::Ect1, Ecn::Ect0, Ecn::Ce}},            // inner ECT(0)
        {{Ecn::Ce, Ecn::Ce, Ecn::Ce, Ecn::Ce}},                  // inner CE
    }};
    return kFigure4[static_cast<std::size_t>(inner)][static_cast<std::size_t>(outer)];
}

} // namespace adit::dataplane

// SPDX-License-Identifier: Apache-2.0
// Powers of a number that never changes, such as a group's generator, at a third of the price of
// any other: the comb of Lim and Lee. The exponent's bits are written in rows, one below the other,
// and worked off column by column: square what there is, multiply by what the column stands for.
//
//     row 5   e[257] ... e[215]       a column of six bits is a digit, and table[digit] the
//             ...                     product of the powers that its bits stand for
//     row 0   e[42]  ... e[0]
//
// Every entry of the table is read for every digit: which one was taken shows in no cache.
//
// Threading: constant after construction; any thread reads it.
#pragma once

#include "control/ike/crypto_openssl.h"

#include <array>
#include <cstdint>
#include <vector>

namespace adit::ike::openssl {

class FixedBase {
  public:
    /// For exponents of up to `exponent_bytes`. `reduction` outlives it.
    FixedBase(const BIGNUM* base,
              BN_MONT_CTX* reduction,
              std::size_t modulus_bytes,
              std::size_t exponent_bytes);

    /// `exponent` is secret and no longer than said; the result fills `to`, a modulus' length.
    void power(ByteView exponent, MutableBytes to) const;

  private:
    static constexpr std::size_t kRows = 6;
    static constexpr std::size_t kEntries = std::size_t{1} << kRows;

    using Piece = std::array<std::uint64_t, 4>; // of an entry

    [[nodiscard]] std::size_t digit(ByteView exponent, std::size_t column) const;
    void take(std::size_t digit, MutableBytes to) const;

    BN_MONT_CTX* reduction_;
    std::size_t modulus_bytes_;
    std::size_t columns_;
    std::size_t pieces_;
    /// In Montgomery's form, little-endian: the first piece of all entries, then the next.
    std::vector<Piece> table_;
};

} // namespace adit::ike::openssl

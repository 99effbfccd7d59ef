// SPDX-License-Identifier: Apache-2.0
#include "control/ike/crypto_openssl_fixed_base.h"

#include <cstring>
#include <vector>

namespace adit::ike::openssl {

namespace {

/// Products and squares of numbers in Montgomery's form.
class Multiplier {
  public:
    explicit Multiplier(BN_MONT_CTX* reduction) : reduction_(reduction), scratch_(BN_CTX_new()) {
        ENSURE(scratch_);
    }

    [[nodiscard]] Number enter(const BIGNUM* number) const {
        Number entered{BN_new()};
        ENSURE(entered && BN_to_montgomery(entered.get(), number, reduction_, scratch_.get()) == 1);
        return entered;
    }

    void leave(Number& number) const {
        ENSURE(BN_from_montgomery(number.get(), number.get(), reduction_, scratch_.get()) == 1);
    }

    void multiply(Number& number, const Number& by) const {
        ENSURE(BN_mod_mul_montgomery(
                   number.get(), number.get(), by.get(), reduction_, scratch_.get()) == 1);
    }

    void square(Number& number) const { multiply(number, number); }

  private:
    BN_MONT_CTX* reduction_;
    NumberContext scratch_;
};

Number copy_of(const Number& number) {
    Number copy{BN_dup(number.get())};
    ENSURE(copy);
    return copy;
}

/// All ones when they are equal, else none.
std::uint64_t mask_of_equal(std::size_t left, std::size_t right) {
    const std::uint64_t difference = left ^ right; // small
    return 0 - ((difference - 1) >> 63);
}

} // namespace

FixedBase::FixedBase(const BIGNUM* base,
                     BN_MONT_CTX* reduction,
                     std::size_t modulus_bytes,
                     std::size_t exponent_bytes)
    : reduction_(reduction), modulus_bytes_(modulus_bytes),
      columns_((exponent_bytes * 8 + kRows - 1) / kRows), pieces_(modulus_bytes / sizeof(Piece)),
      table_(pieces_ * kEntries) {
    ENSURE(modulus_bytes % sizeof(Piece) == 0);
    const Multiplier arithmetic{reduction};
    std::vector<Number> entries;
    entries.push_back(arithmetic.enter(BN_value_one()));
    Number of_row = arithmetic.enter(base);
    for (std::size_t row = 0; row < kRows; ++row) {
        // With this row's bit set: each of the entries without it, times what the bit stands for.
        for (std::size_t lower = 0, end = entries.size(); lower < end; ++lower) {
            entries.push_back(copy_of(entries[lower]));
            arithmetic.multiply(entries.back(), of_row);
        }
        for (std::size_t column = 0; column < columns_; ++column)
            arithmetic.square(of_row);
    }
    Bytes entry(modulus_bytes);
    const int length = static_cast<int>(modulus_bytes);
    for (std::size_t i = 0; i < kEntries; ++i) {
        ENSURE(BN_bn2lebinpad(entries[i].get(), entry.data(), length) == length);
        for (std::size_t piece = 0; piece < pieces_; ++piece)
            std::memcpy(
                &table_[piece * kEntries + i], entry.data() + piece * sizeof(Piece), sizeof(Piece));
    }
}

std::size_t FixedBase::digit(ByteView exponent, std::size_t column) const {
    std::size_t digit = 0;
    for (std::size_t row = 0; row < kRows; ++row) {
        const std::size_t bit = row * columns_ + column; // 0: the least
        if (bit >= exponent.size() * 8)
            break;
        const std::size_t byte = exponent[exponent.size() - 1 - bit / 8];
        digit |= (byte >> bit % 8 & 1U) << row;
    }
    return digit;
}

void FixedBase::take(std::size_t digit, MutableBytes to) const {
    for (std::size_t piece = 0; piece < pieces_; ++piece) {
        Piece taken{};
        for (std::size_t i = 0; i < kEntries; ++i) {
            const std::uint64_t mask = mask_of_equal(i, digit);
            for (std::size_t word = 0; word < taken.size(); ++word)
                taken[word] |= table_[piece * kEntries + i][word] & mask;
        }
        std::memcpy(to.data() + piece * sizeof taken, taken.data(), sizeof taken);
    }
}

void FixedBase::power(ByteView exponent, MutableBytes to) const {
    ENSURE(exponent.size() * 8 <= kRows * columns_ && to.size() == modulus_bytes_);
    const Multiplier arithmetic{reduction_};
    SecretBuffer taken{modulus_bytes_};
    const Number factor{BN_new()};
    ENSURE(factor);
    Number result = arithmetic.enter(BN_value_one());
    for (std::size_t column = columns_; column-- > 0;) {
        arithmetic.square(result);
        take(digit(exponent, column), taken.writable());
        ENSURE(BN_lebin2bn(taken.view().data(), static_cast<int>(modulus_bytes_), factor.get()) !=
               nullptr);
        arithmetic.multiply(result, factor);
    }
    arithmetic.leave(result);
    ENSURE(BN_bn2binpad(result.get(), to.data(), static_cast<int>(to.size())) ==
           static_cast<int>(to.size()));
}

} // namespace adit::ike::openssl

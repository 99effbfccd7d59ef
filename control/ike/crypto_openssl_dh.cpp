// SPDX-License-Identifier: Apache-2.0
// Diffie-Hellman on OpenSSL's numbers and curves. Peers choose the public values: each passes
// check_public_value before any secret meets it.
#include "control/ike/crypto_openssl_fixed_base.h"

#include <algorithm>
#include <mutex>
#include <optional>

namespace adit::ike {

using namespace openssl;

const GroupInfo* find_group(Group group) {
    const auto row = std::ranges::find(kGroups, group, &GroupInfo::group);
    return row == kGroups.end() ? nullptr : &*row;
}

namespace {

/// All secrets of these groups are random; an unlucky draw is repeated this often (ECP-256: 2^-32
/// each).
constexpr int kMaxDraws = 16;

Result<const GroupInfo*> require_group(Group group) {
    const GroupInfo* info = find_group(group);
    if (info == nullptr)
        return fail(ErrorCode::Unsupported, "no Diffie-Hellman group " + name(group));
    return info;
}

Number to_number(ByteView bytes) {
    Number number{BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr)};
    ENSURE(number);
    return number;
}

Number to_secret_number(ByteView bytes) {
    Number number = to_number(bytes);
    BN_set_flags(number.get(), BN_FLG_CONSTTIME);
    return number;
}

/// Left-padded with zeros to all of `to`.
void store(const BIGNUM* number, MutableBytes to) {
    const int length = static_cast<int>(to.size());
    ENSURE(BN_bn2binpad(number, to.data(), length) == length);
}

NumberContext make_scratch() {
    NumberContext scratch{BN_CTX_new()};
    ENSURE(scratch);
    return scratch;
}

Number make_number() {
    Number number{BN_new()};
    ENSURE(number);
    return number;
}

Point make_point(const EC_GROUP* curve) {
    Point point{EC_POINT_new(curve)};
    ENSURE(point);
    return point;
}

// ---------------------------------------------------------------------------------------------------
// MODP

Status check_modp(const GroupInfo& info, ByteView public_value) {
    const GroupObjects& objects = Library::get().group(info);
    const Number value = to_number(public_value);
    // RFC 2631 2.1.5 asks for [2, p-1]; p-1 has order 2 and makes the secret guessable.
    if (BN_is_zero(value.get()) || BN_is_one(value.get()) ||
        BN_cmp(value.get(), objects.prime_minus_1.get()) >= 0)
        return fail(ErrorCode::Invalid, std::string{info.name} + " public value out of range");
    return {};
}

void exponentiate(const GroupInfo& info, const BIGNUM* base, ByteView exponent, MutableBytes to) {
    const GroupObjects& objects = Library::get().group(info);
    const NumberContext scratch = make_scratch();
    const Number secret = to_secret_number(exponent);
    const Number power = make_number();
    ENSURE(BN_mod_exp_mont_consttime(power.get(),
                                     base,
                                     secret.get(),
                                     objects.prime.get(),
                                     scratch.get(),
                                     objects.reduction.get()) == 1);
    store(power.get(), to);
}

/// RFC 5114 4: where the subgroup is small, a value outside it would give away the private key
/// piece by piece. Nothing secret takes part, so the quick exponentiation will do.
Status check_subgroup(const GroupInfo& info, const BIGNUM* value) {
    const GroupObjects& objects = Library::get().group(info);
    if (!objects.order)
        return {};
    const NumberContext scratch = make_scratch();
    const Number power = make_number();
    ENSURE(BN_mod_exp_mont(power.get(),
                           value,
                           objects.order.get(),
                           objects.prime.get(),
                           scratch.get(),
                           objects.reduction.get()) == 1);
    if (!BN_is_one(power.get()))
        return fail(ErrorCode::Invalid, std::string{info.name} + " public value not in subgroup");
    return {};
}

/// Made when a group is first used.
const FixedBase& powers_of_generator(const GroupInfo& info) {
    static std::array<std::once_flag, kGroups.size()> made;
    static std::array<std::optional<FixedBase>, kGroups.size()> powers;
    const auto row = static_cast<std::size_t>(&info - kGroups.data());
    std::call_once(made.at(row), [&] {
        const GroupObjects& objects = Library::get().group(info);
        powers[row].emplace(objects.generator.get(),
                            objects.reduction.get(),
                            info.public_bytes,
                            info.private_bytes);
    });
    return *powers[row];
}

Status modp_public(const GroupInfo& info, ByteView private_key, MutableBytes to) {
    if (private_key.size() <= info.private_bytes)
        powers_of_generator(info).power(private_key, to);
    else
        exponentiate(info, Library::get().group(info).generator.get(), private_key, to);
    return check_modp(info, to);
}

// ---------------------------------------------------------------------------------------------------
// ECP

/// RFC 5903 7: x and y, each padded to the prime's length.
Result<Point> to_point(const GroupInfo& info, ByteView public_value) {
    const EC_GROUP* curve = Library::get().group(info).curve.get();
    const BIGNUM* prime = EC_GROUP_get0_field(curve);
    const Number x = to_number(public_value.first(info.shared_bytes));
    const Number y = to_number(public_value.subspan(info.shared_bytes));
    // OpenSSL would reduce larger coordinates and so accept a second spelling of a point.
    if (BN_cmp(x.get(), prime) >= 0 || BN_cmp(y.get(), prime) >= 0)
        return fail(ErrorCode::Invalid, std::string{info.name} + " public value out of range");
    Point point = make_point(curve);
    const NumberContext scratch = make_scratch();
    if (EC_POINT_set_affine_coordinates(curve, point.get(), x.get(), y.get(), scratch.get()) != 1)
        return fail(ErrorCode::Invalid, std::string{info.name} + " public value not on the curve");
    return point;
}

bool is_scalar(const GroupInfo& info, ByteView private_key) {
    const Number scalar = to_secret_number(private_key);
    const BIGNUM* order = EC_GROUP_get0_order(Library::get().group(info).curve.get());
    return !BN_is_zero(scalar.get()) && BN_cmp(scalar.get(), order) < 0;
}

/// scalar * base, of the generator when `base` is null. `to` takes x, and y when it has room for
/// both.
void multiply(const GroupInfo& info, const EC_POINT* base, ByteView scalar, MutableBytes to) {
    const EC_GROUP* curve = Library::get().group(info).curve.get();
    const NumberContext scratch = make_scratch();
    const Number secret = to_secret_number(scalar);
    const Point product = make_point(curve);
    const BIGNUM* of_generator = base == nullptr ? secret.get() : nullptr;
    const BIGNUM* of_base = base == nullptr ? nullptr : secret.get();
    ENSURE(EC_POINT_mul(curve, product.get(), of_generator, base, of_base, scratch.get()) == 1);
    const Number x = make_number();
    const Number y = make_number();
    // The order is prime and the scalar below it: the product is never the point at infinity.
    ENSURE(EC_POINT_get_affine_coordinates(curve, product.get(), x.get(), y.get(), scratch.get()) ==
           1);
    store(x.get(), to.first(info.shared_bytes));
    if (to.size() > info.shared_bytes)
        store(y.get(), to.subspan(info.shared_bytes));
}

// ---------------------------------------------------------------------------------------------------
// Both

Status check_private_key(const GroupInfo& info, ByteView private_key) {
    const bool sound =
        info.kind == GroupKind::Ecp
            ? private_key.size() <= info.private_bytes && is_scalar(info, private_key)
            : private_key.size() <= info.public_bytes &&
                  !BN_is_zero(to_secret_number(private_key).get());
    if (!sound)
        return fail(ErrorCode::Invalid, std::string{info.name} + " private key out of range");
    return {};
}

void draw_private_key(const GroupInfo& info, Rng& rng, MutableBytes to) {
    rng.fill(to);
    // ECP-521: nine bits in the first octet's place leave one; the others fill whole octets.
    const unsigned spare_bits = static_cast<unsigned>(to.size()) * 8U - info.bits;
    if (info.kind == GroupKind::Ecp)
        to[0] = static_cast<std::uint8_t>(to[0] & (0xffU >> spare_bits));
}

} // namespace

Status check_public_value(Group group, ByteView public_value) {
    const GroupInfo& info = *TRY(require_group(group));
    // RFC 2409 5: the value is always of the prime's length, padded with zeros when it is shorter.
    if (public_value.size() != info.public_bytes)
        return fail(ErrorCode::Malformed,
                    std::string{info.name} + " public value of " +
                        std::to_string(public_value.size()) + " octets instead of " +
                        std::to_string(info.public_bytes));
    if (info.kind == GroupKind::Modp)
        return check_modp(info, public_value);
    TRY(to_point(info, public_value));
    return {};
}

Result<DhKeyPair> dh_from_private(Group group, ByteView private_key) {
    const GroupInfo& info = *TRY(require_group(group));
    TRY_VOID(check_private_key(info, private_key));
    DhKeyPair pair{group, SecretBuffer{private_key}, Bytes(info.public_bytes)};
    if (info.kind == GroupKind::Modp)
        TRY_VOID(modp_public(info, private_key, pair.public_value));
    else
        multiply(info, nullptr, private_key, pair.public_value);
    return pair;
}

Result<DhKeyPair> dh_generate(Group group, Rng& rng) {
    const GroupInfo& info = *TRY(require_group(group));
    SecretBuffer private_key{static_cast<std::size_t>(info.private_bytes)};
    for (int draw = 0; draw < kMaxDraws; ++draw) {
        draw_private_key(info, rng, private_key.writable());
        if (check_private_key(info, private_key.view()))
            return dh_from_private(group, private_key.view());
    }
    return fail(ErrorCode::Exhausted, "the random source gives no usable private key");
}

Result<SecretBuffer> dh_agree(Group group, ByteView private_key, ByteView peer_public) {
    TRY_VOID(check_public_value(group, peer_public));
    const GroupInfo& info = *TRY(require_group(group));
    TRY_VOID(check_private_key(info, private_key));
    SecretBuffer shared{static_cast<std::size_t>(info.shared_bytes)};
    if (info.kind == GroupKind::Modp) {
        const Number value = to_number(peer_public);
        TRY_VOID(check_subgroup(info, value.get()));
        exponentiate(info, value.get(), private_key, shared.writable());
    } else {
        const Point point = TRY(to_point(info, peer_public));
        multiply(info, point.get(), private_key, shared.writable());
    }
    return shared;
}

} // namespace adit::ike

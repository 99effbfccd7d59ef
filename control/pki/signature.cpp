// SPDX-License-Identifier: Apache-2.0
#include "control/pki/signature.h"

#include "common/secret.h"

#include <openssl/core_names.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace adit::pki {

using ike::SignatureScheme;

namespace {

struct CurveInfo {
    std::string_view group; // OpenSSL's name
    SignatureScheme scheme;
    std::size_t number_bytes; // RFC 4754 7: each of r and s
    std::size_t hash_bytes;
};

constexpr std::array kCurves = {
    CurveInfo{"prime256v1", SignatureScheme::EcdsaP256, 32, 32},
    CurveInfo{"secp384r1", SignatureScheme::EcdsaP384, 48, 48},
    CurveInfo{"secp521r1", SignatureScheme::EcdsaP521, 66, 64},
};

/// Null for RSA.
const CurveInfo* curve_of(SignatureScheme scheme) {
    const auto found = std::ranges::find(kCurves, scheme, &CurveInfo::scheme);
    return found == kCurves.end() ? nullptr : &*found;
}

// --- RSA ----------------------------------------------------------------------------------------

Result<Bytes> sign_rsa(EVP_PKEY* key, ByteView hash) {
    const KeyContext context{EVP_PKEY_CTX_new(key, nullptr)};
    Bytes signature(static_cast<std::size_t>(EVP_PKEY_get_size(key)));
    std::size_t length = signature.size();
    // Without a digest set, OpenSSL wraps the hash into block type 1 as it is.
    if (context == nullptr || EVP_PKEY_sign_init(context.get()) != 1 ||
        EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING) != 1 ||
        EVP_PKEY_sign(context.get(), signature.data(), &length, hash.data(), hash.size()) != 1)
        return fail(ErrorCode::Invalid, "RSA signature: " + library_error());
    signature.resize(length);
    return signature;
}

bool verify_rsa(EVP_PKEY* key, ByteView hash, ByteView signature) {
    const auto modulus_bytes = static_cast<std::size_t>(EVP_PKEY_get_size(key));
    const auto expected = rsa_block(hash, modulus_bytes);
    // RFC 8017 8.2.2: a signature is exactly as long as the modulus.
    if (!expected || signature.size() != modulus_bytes)
        return false;
    const KeyContext context{EVP_PKEY_CTX_new(key, nullptr)};
    Bytes block(modulus_bytes);
    std::size_t length = block.size();
    const bool opened =
        context != nullptr && EVP_PKEY_verify_recover_init(context.get()) == 1 &&
        EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_NO_PADDING) == 1 &&
        EVP_PKEY_verify_recover(
            context.get(), block.data(), &length, signature.data(), signature.size()) == 1;
    library_error(); // a number above the modulus leaves one
    return opened && length == modulus_bytes && equal_constant_time(block, *expected);
}

// --- ECDSA --------------------------------------------------------------------------------------

/// Our own DER, straight from OpenSSL, into r | s.
Result<Bytes> side_by_side(ByteView der, std::size_t number_bytes) {
    const unsigned char* at = der.data();
    const EcdsaSignature numbers{d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size()))};
    if (numbers == nullptr)
        return fail(ErrorCode::Invalid, "ECDSA signature: " + library_error());
    Bytes both(2 * number_bytes);
    const int length = static_cast<int>(number_bytes);
    if (BN_bn2binpad(ECDSA_SIG_get0_r(numbers.get()), both.data(), length) != length ||
        BN_bn2binpad(ECDSA_SIG_get0_s(numbers.get()), both.data() + number_bytes, length) != length)
        return fail(ErrorCode::Invalid, "ECDSA signature: a number above the order");
    return both;
}

/// r | s into the DER OpenSSL asks for.
Bytes der_of_numbers(ByteView both) {
    const std::size_t number_bytes = both.size() / 2;
    const int length = static_cast<int>(number_bytes);
    const EcdsaSignature numbers{ECDSA_SIG_new()};
    ENSURE(numbers != nullptr);
    BIGNUM* r = BN_bin2bn(both.data(), length, nullptr);
    BIGNUM* s = BN_bin2bn(both.data() + number_bytes, length, nullptr);
    ENSURE(r != nullptr && s != nullptr && ECDSA_SIG_set0(numbers.get(), r, s) == 1);
    unsigned char* encoded = nullptr;
    const int der_bytes = i2d_ECDSA_SIG(numbers.get(), &encoded);
    ENSURE(der_bytes > 0);
    Bytes der(encoded, encoded + der_bytes);
    OPENSSL_free(encoded);
    return der;
}

Result<Bytes> sign_ecdsa(EVP_PKEY* key, const CurveInfo& curve, ByteView hash) {
    const KeyContext context{EVP_PKEY_CTX_new(key, nullptr)};
    Bytes der(static_cast<std::size_t>(EVP_PKEY_get_size(key)));
    std::size_t length = der.size();
    if (context == nullptr || EVP_PKEY_sign_init(context.get()) != 1 ||
        EVP_PKEY_sign(context.get(), der.data(), &length, hash.data(), hash.size()) != 1)
        return fail(ErrorCode::Invalid, "ECDSA signature: " + library_error());
    return side_by_side(ByteView{der}.first(length), curve.number_bytes);
}

bool verify_ecdsa(EVP_PKEY* key, const CurveInfo& curve, ByteView hash, ByteView signature) {
    if (signature.size() != 2 * curve.number_bytes)
        return false;
    const Bytes der = der_of_numbers(signature);
    const KeyContext context{EVP_PKEY_CTX_new(key, nullptr)};
    const bool verified =
        context != nullptr && EVP_PKEY_verify_init(context.get()) == 1 &&
        EVP_PKEY_verify(context.get(), der.data(), der.size(), hash.data(), hash.size()) == 1;
    library_error();
    return verified;
}

class OpenSslKey final : public ike::SigningKey {
  public:
    OpenSslKey(Key key, SignatureScheme scheme) : key_(std::move(key)), scheme_(scheme) {}

    [[nodiscard]] SignatureScheme scheme() const override { return scheme_; }

    [[nodiscard]] Result<Bytes> sign(ByteView hash) const override {
        return pki::sign(key_.get(), scheme_, hash);
    }

  private:
    Key key_;
    SignatureScheme scheme_;
};

} // namespace

std::optional<SignatureScheme> scheme_of(const EVP_PKEY* key) {
    if (EVP_PKEY_is_a(key, "RSA") == 1) {
        const int bits = EVP_PKEY_get_bits(key);
        if (bits < kMinRsaBits || bits > kMaxRsaBits)
            return std::nullopt;
        return SignatureScheme::RsaRaw;
    }
    std::array<char, 64> group{};
    if (EVP_PKEY_is_a(key, "EC") != 1 ||
        EVP_PKEY_get_group_name(key, group.data(), group.size(), nullptr) != 1)
        return std::nullopt;
    const auto found =
        std::ranges::find(kCurves, std::string_view{group.data()}, &CurveInfo::group);
    if (found == kCurves.end())
        return std::nullopt;
    return found->scheme;
}

Result<Bytes> rsa_block(ByteView hash, std::size_t length_bytes) {
    constexpr std::size_t kFrame = 3; // 00 01 in front, 00 before the hash
    constexpr std::size_t kMinPadding = 8;
    if (hash.empty() || hash.size() + kFrame + kMinPadding > length_bytes)
        return fail(ErrorCode::Invalid, "the hash does not fit the key");
    Bytes block(length_bytes, 0xff);
    block[0] = 0x00;
    block[1] = 0x01;
    block[length_bytes - hash.size() - 1] = 0x00;
    std::ranges::copy(hash, block.end() - static_cast<std::ptrdiff_t>(hash.size()));
    return block;
}

Result<Bytes> sign(EVP_PKEY* key, SignatureScheme scheme, ByteView hash) {
    const CurveInfo* curve = curve_of(scheme);
    if (curve == nullptr)
        return sign_rsa(key, hash);
    // RFC 4754 3: a curve signs the output of its own hash and no other.
    if (hash.size() != curve->hash_bytes)
        return fail(ErrorCode::Invalid, "the hash does not belong to the curve");
    return sign_ecdsa(key, *curve, hash);
}

bool verifies(EVP_PKEY* key, SignatureScheme scheme, ByteView hash, ByteView signature) {
    if (scheme_of(key) != scheme)
        return false;
    const CurveInfo* curve = curve_of(scheme);
    if (curve == nullptr)
        return verify_rsa(key, hash, signature);
    return hash.size() == curve->hash_bytes && verify_ecdsa(key, *curve, hash, signature);
}

Result<std::shared_ptr<const ike::SigningKey>> signing_key(Key key) {
    const auto scheme = scheme_of(key.get());
    if (!scheme)
        return fail(ErrorCode::Unsupported,
                    "the key must be RSA of 2048 to 8192 bits, or EC on P-256, P-384 or P-521");
    return std::make_shared<const OpenSslKey>(std::move(key), *scheme);
}

} // namespace adit::pki

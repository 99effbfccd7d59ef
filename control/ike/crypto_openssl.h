// SPDX-License-Identifier: Apache-2.0
// OpenSSL's objects as owned values, and the ones every call needs, made once per process: fetching
// an algorithm or setting up Montgomery reduction costs more than most uses of it. Only
// crypto_openssl*.cpp may include this.
//
// Threading: Library is built on first use and never changes after that; any thread reads it.
#pragma once

#include "common/free_with.h"
#include "control/ike/crypto.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>

#include <array>
#include <memory>

namespace adit::ike::openssl {

using Digest = std::unique_ptr<EVP_MD, FreeWith<EVP_MD_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, FreeWith<EVP_MD_CTX_free>>;
using Cipher = std::unique_ptr<EVP_CIPHER, FreeWith<EVP_CIPHER_free>>;
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, FreeWith<EVP_CIPHER_CTX_free>>;
using Number = std::unique_ptr<BIGNUM, FreeWith<BN_clear_free>>; // wiped: many are secret
using NumberContext = std::unique_ptr<BN_CTX, FreeWith<BN_CTX_free>>;
using Montgomery = std::unique_ptr<BN_MONT_CTX, FreeWith<BN_MONT_CTX_free>>;
using Parameters = std::unique_ptr<EVP_PKEY, FreeWith<EVP_PKEY_free>>;
using ParametersContext = std::unique_ptr<EVP_PKEY_CTX, FreeWith<EVP_PKEY_CTX_free>>;
using Curve = std::unique_ptr<EC_GROUP, FreeWith<EC_GROUP_free>>;
using Point = std::unique_ptr<EC_POINT, FreeWith<EC_POINT_clear_free>>;

/// What one row of kGroups needs: a prime with its reduction, or a curve.
struct GroupObjects {
    Number prime; // MODP
    Number prime_minus_1;
    Number generator;
    Number order; // of the subgroup that the generator makes, where it is much smaller; else null
    Montgomery reduction;
    Curve curve; // ECP
};

class Library {
  public:
    static const Library& get();

    Library(const Library&) = delete;
    Library& operator=(const Library&) = delete;

    [[nodiscard]] const EVP_MD* digest(HashAlgorithm hash) const {
        return digests_[static_cast<std::size_t>(hash)].get();
    }

    [[nodiscard]] const EVP_CIPHER* cipher(CipherAlgorithm cipher) const {
        return ciphers_[static_cast<std::size_t>(cipher)].get();
    }

    /// `info` is a row of kGroups.
    [[nodiscard]] const GroupObjects& group(const GroupInfo& info) const;

  private:
    Library();

    std::array<Digest, kHashes.size()> digests_;
    std::array<Cipher, kCiphers.size()> ciphers_;
    std::array<GroupObjects, kGroups.size()> groups_;
};

} // namespace adit::ike::openssl

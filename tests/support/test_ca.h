// SPDX-License-Identifier: Apache-2.0
// Certificates made to order for tests: keys, CAs, chains, CRLs, and certificates that are wrong in
// one way each. Times are days from a fixed moment, kTestNow, which tests pass as the wall clock.
//
// Threading: belongs to one thread. Errors: abort the test program.
#pragma once

#include "common/clock.h"
#include "control/pki/openssl.h"

#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <cstdlib>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

namespace adit::test {

/// 2030-01-01 00:00:00 UTC.
inline constexpr std::time_t kTestEpoch = 1'893'456'000;
inline const WallTime kTestNow = std::chrono::system_clock::from_time_t(kTestEpoch);

struct KeyPair {
    pki::Key key;

    static KeyPair rsa(unsigned bits = 2048) {
        return {pki::Key{EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{bits})}};
    }

    static KeyPair ec(const char* curve = "P-256") {
        return {pki::Key{EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", curve)}};
    }
};

/// What a certificate is to say. Extensions as openssl.cnf writes them; empty: left out.
struct Wanted {
    std::string common_name;
    std::string alternative_names{}; // "DNS:gw.example.com,IP:192.0.2.1"
    std::string key_usage{};         // "critical,digitalSignature"
    std::string constraints{};       // "critical,CA:TRUE"
    std::string unstructured_name{};
    int from_day{-1};
    int to_day{30};
    long serial{0}; // 0: the next
    const EVP_MD* digest{EVP_sha256()};
};

struct Entity {
    KeyPair pair;
    pki::Certificate certificate;

    [[nodiscard]] Bytes der() const { return pki::der_of(certificate.get()); }

    [[nodiscard]] Bytes subject() const {
        return pki::der_of(X509_get_subject_name(certificate.get()));
    }
};

inline void add_extension(X509* to, X509* issuer, int nid, const std::string& value) {
    if (value.empty())
        return;
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, to, nullptr, nullptr, 0);
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
    ENSURE(extension != nullptr && X509_add_ext(to, extension, -1) == 1);
    X509_EXTENSION_free(extension);
}

inline void add_entry(X509_NAME* name, const char* type, const std::string& value) {
    if (!value.empty())
        ENSURE(X509_NAME_add_entry_by_txt(name,
                                          type,
                                          MBSTRING_UTF8,
                                          as_bytes(value).data(),
                                          static_cast<int>(value.size()),
                                          -1,
                                          0) == 1);
}

/// Null issuer: self-signed.
inline Entity issue(KeyPair pair, const Wanted& wanted, const Entity* issuer = nullptr) {
    static long next_serial = 0x1000;
    Entity made{std::move(pair), pki::Certificate{X509_new()}};
    X509* certificate = made.certificate.get();
    constexpr long kVersion3 = 2;
    constexpr long kDay = 86'400;
    X509_set_version(certificate, kVersion3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate),
                     wanted.serial != 0 ? wanted.serial : ++next_serial);
    ASN1_TIME_set(X509_getm_notBefore(certificate), kTestEpoch + wanted.from_day * kDay);
    ASN1_TIME_set(X509_getm_notAfter(certificate), kTestEpoch + wanted.to_day * kDay);
    X509_NAME* name = X509_get_subject_name(certificate);
    add_entry(name, "O", "Example");
    add_entry(name, "CN", wanted.common_name);
    add_entry(name, "unstructuredName", wanted.unstructured_name);
    X509* signer = issuer == nullptr ? certificate : issuer->certificate.get();
    X509_set_issuer_name(certificate, X509_get_subject_name(signer));
    X509_set_pubkey(certificate, made.pair.key.get());
    add_extension(certificate, signer, NID_basic_constraints, wanted.constraints);
    add_extension(certificate, signer, NID_key_usage, wanted.key_usage);
    add_extension(certificate, signer, NID_subject_alt_name, wanted.alternative_names);
    EVP_PKEY* key = issuer == nullptr ? made.pair.key.get() : issuer->pair.key.get();
    ENSURE(X509_sign(certificate, key, wanted.digest) > 0);
    return made;
}

inline Entity
make_ca(const std::string& name, const Entity* issuer = nullptr, KeyPair pair = KeyPair::ec()) {
    return issue(std::move(pair),
                 {.common_name = name,
                  .key_usage = "critical,keyCertSign,cRLSign",
                  .constraints = "critical,CA:TRUE"},
                 issuer);
}

inline pki::Crl
make_crl(const Entity& issuer, const std::vector<const Entity*>& revoked, int to_day = 30) {
    constexpr long kDay = 86'400;
    pki::Crl crl{X509_CRL_new()};
    X509_CRL_set_version(crl.get(), 1);
    X509_CRL_set_issuer_name(crl.get(), X509_get_subject_name(issuer.certificate.get()));
    ASN1_TIME* time = ASN1_TIME_set(nullptr, kTestEpoch - 2 * kDay);
    X509_CRL_set1_lastUpdate(crl.get(), time);
    ASN1_TIME_set(time, kTestEpoch + to_day * kDay);
    X509_CRL_set1_nextUpdate(crl.get(), time);
    ASN1_TIME_set(time, kTestEpoch - 2 * kDay);
    for (const Entity* one : revoked) {
        X509_REVOKED* entry = X509_REVOKED_new();
        X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(one->certificate.get()));
        X509_REVOKED_set_revocationDate(entry, time);
        ENSURE(X509_CRL_add0_revoked(crl.get(), entry) == 1);
    }
    ASN1_TIME_free(time);
    ENSURE(X509_CRL_sign(crl.get(), issuer.pair.key.get(), EVP_sha256()) > 0);
    return crl;
}

// --- as text -------------------------------------------------------------------------------------

inline std::string text_of(BIO* bio) {
    const char* from = nullptr;
    const long length = BIO_get_mem_data(bio, &from);
    return {from, static_cast<std::size_t>(length)};
}

inline std::string pem_of(const Entity& entity) {
    const pki::Bio bio{BIO_new(BIO_s_mem())};
    ENSURE(PEM_write_bio_X509(bio.get(), entity.certificate.get()) == 1);
    return text_of(bio.get());
}

inline std::string pem_of(const pki::Crl& crl) {
    const pki::Bio bio{BIO_new(BIO_s_mem())};
    ENSURE(PEM_write_bio_X509_CRL(bio.get(), crl.get()) == 1);
    return text_of(bio.get());
}

inline std::string key_pem_of(const Entity& entity, const char* pass_phrase = nullptr) {
    const pki::Bio bio{BIO_new(BIO_s_mem())};
    ENSURE(PEM_write_bio_PKCS8PrivateKey(bio.get(),
                                         entity.pair.key.get(),
                                         pass_phrase == nullptr ? nullptr : EVP_aes_128_cbc(),
                                         pass_phrase,
                                         pass_phrase == nullptr ? 0 : 4,
                                         nullptr,
                                         nullptr) == 1);
    return text_of(bio.get());
}

/// Files that go with the test.
class TempFolder {
  public:
    TempFolder() {
        std::string pattern = "/tmp/adit-pki-XXXXXX";
        ENSURE(::mkdtemp(pattern.data()) != nullptr);
        path_ = pattern;
    }

    TempFolder(const TempFolder&) = delete;
    TempFolder& operator=(const TempFolder&) = delete;

    ~TempFolder() {
        for (const std::string& file : files_)
            std::remove(file.c_str());
        std::remove(path_.c_str());
    }

    std::string write(const std::string& name, const std::string& text) {
        files_.push_back(path_ + "/" + name);
        std::ofstream{files_.back(), std::ios::binary} << text;
        return files_.back();
    }

    [[nodiscard]] const std::string& path() const { return path_; }

  private:
    std::string path_;
    std::vector<std::string> files_;
};

} // namespace adit::test

// SPDX-License-Identifier: Apache-2.0
// A trustpoint: whose certificates we trust, and what we prove ourselves with. The configuration
// names files; load() reads them once, and what it made never changes after that.
//
// Threading: load() blocks on files, on control's own thread; a Trustpoint is read from any.
//
// Errors: the text names the file and what is wrong with it.
#pragma once

#include "common/clock.h"
#include "common/error.h"
#include "control/ike/credentials.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace adit::pki {

class Authorities;

/// revocation-check
enum class Revocation : std::uint8_t {
    ByCrl, // of every CA along the chain, from the CRL file
    None,
};

struct TrustpointFiles {
    std::string name;
    std::string ca_file;
    std::string certificate_file; // our own first, then intermediates; empty: we only verify
    std::string key_file;
    std::string crl_file;
    Revocation revocation{Revocation::ByCrl};

    friend bool operator==(const TrustpointFiles&, const TrustpointFiles&) = default;
};

/// A certificate as `show` prints it.
struct CertificateInfo {
    std::string serial;              // "61BF09D3"
    std::vector<std::string> issuer; // "cn=Example CA", "o=Example": the most specific first
    std::vector<std::string> subject;
    std::vector<std::string> alternative_names; // "dns gw.example.com"
    std::vector<std::string> crl_points;        // shown, never fetched
    std::string not_before;                     // "09:17:52 UTC Jun 22 2022"
    std::string not_after;
    WallTime expires;
    std::string usage;     // "General Purpose", "Signature"
    std::string key;       // "RSA 2048 bit"
    std::string signature; // "sha256WithRSAEncryption"
    std::string sha1;      // fingerprints, hex
    std::string sha256;
    bool authority{false};
};

struct CrlInfo {
    std::vector<std::string> issuer;
    std::string last_update;
    std::string next_update; // empty: none is promised
    std::size_t revoked{0};
};

struct Trustpoint {
    TrustpointFiles files;
    std::vector<CertificateInfo> authorities;
    std::vector<CertificateInfo> own; // the whole chain
    std::vector<CrlInfo> crls;
    std::shared_ptr<const Authorities> anchors; // null without a CA file
    std::vector<Bytes> authority_names;         // DER
    std::shared_ptr<const ike::OwnCertificate> credential;
};

Result<std::shared_ptr<const Trustpoint>> load(const TrustpointFiles& files);

enum class FileKind : std::uint8_t { Certificates, PrivateKey, Crls };
/// Could load() use this file?
Status check_file(FileKind kind, const std::string& path);

/// All trustpoints together, as the engine wants them. `clock` is the wall clock.
ike::Credentials credentials_of(const std::vector<std::shared_ptr<const Trustpoint>>& trustpoints,
                                std::function<WallTime()> clock);

} // namespace adit::pki

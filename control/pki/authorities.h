// SPDX-License-Identifier: Apache-2.0
// The CAs of one trustpoint, and whether a certificate leads to one of them. OpenSSL builds and
// checks the chain; here stands what it is asked to check.
//
// Every certificate of the CA file is a trust anchor, self-signed or not: the administrator has
// named it. Nothing is ever fetched; what a certificate says about where its CRL or its issuer can
// be had is not looked at (SECURITY A10).
//
// Threading: immutable; check() from any thread. Errors: a named fault.
// Source: RFC 5280 6, RFC 4945 5.1.
#pragma once

#include "common/clock.h"
#include "control/ike/credentials.h"
#include "control/pki/openssl.h"
#include "control/pki/trustpoint.h"

#include <optional>
#include <string>
#include <vector>

namespace adit::pki {

/// Issuers between a peer's certificate and the anchor. Those in the field have one or two.
inline constexpr int kMaxIntermediates = 5;
/// X509_VERIFY_PARAM_set_auth_level: 112 bits, which is RSA-2048 and no SHA-1 signature below the
/// anchor.
inline constexpr int kSecurityLevel = 2;

struct Fault {
    ike::CertificateFault kind{};
    std::string evidence;
};

class Authorities {
  public:
    Authorities(std::string trustpoint,
                const std::vector<Certificate>& anchors,
                const std::vector<Crl>& crls,
                Revocation revocation);

    [[nodiscard]] const std::string& trustpoint() const { return trustpoint_; }

    /// Does `certificate`, by way of any of `others`, lead to an anchor, and is all of it valid at
    /// `now`? Nothing: yes.
    [[nodiscard]] std::optional<Fault>
    check(X509* certificate, STACK_OF(X509) * others, WallTime now) const;

  private:
    std::string trustpoint_;
    Revocation revocation_;
    Store store_;
};

} // namespace adit::pki

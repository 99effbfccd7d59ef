// SPDX-License-Identifier: Apache-2.0
// The payloads of signature authentication: certificate, certificate request, signature. What is
// inside a certificate is the business of control/pki.
//
// Threading: pure functions. Errors: Truncated, Malformed; Unsupported for encodings we do not
// read.
// Source: RFC 2408 3.9, 3.10, 3.12; RFC 4945 3.2, 3.3.
#pragma once

#include "common/bytes.h"
#include "common/error.h"
#include "control/ike/constants.h"

#include <cstddef>
#include <vector>

namespace adit::ike {

/// The largest certificates in the field (RSA-4096 with long policies) have some 3 kB; PKCS #7
/// holds several.
inline constexpr std::size_t kMaxCertificateBytes = std::size_t{16} * 1024;
/// An end entity, its issuers and a spare root: more is no chain but a burden.
inline constexpr std::size_t kMaxCertificates = 10;
/// A CA's name; those in the field stay below 300 octets.
inline constexpr std::size_t kMaxAuthorityBytes = 2048;
/// A signature of RSA-8192.
inline constexpr std::size_t kMaxSignatureBytes = 1024;

struct CertificateBody {
    CertificateEncoding encoding{};
    Bytes data; // DER

    friend bool operator==(const CertificateBody&, const CertificateBody&) = default;
};

/// `body` starts at the encoding.
Result<CertificateBody> parse_certificate(ByteView body);
Bytes build_certificate(const CertificateBody& certificate);

/// The DER name of a certification authority; empty: any will do (RFC 2408 3.10).
Result<Bytes> parse_certificate_request(ByteView body);
Bytes build_certificate_request(ByteView authority);

/// A signature payload is the signature and nothing else.
Result<Bytes> parse_signature(ByteView body);

} // namespace adit::ike

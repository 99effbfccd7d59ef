// SPDX-License-Identifier: Apache-2.0
// What phase 1 needs to know of keys and certificates: our own to sign with, and somebody who
// judges a peer's. All X.509 stands behind the two interfaces here; control/pki implements them.
// Signing and judging take from 0.1 ms (ECDSA) to 2 ms (RSA-4096): the engine leaves both to jobs.
//
// Threading: implementations never change after they were made; any thread may call them.
//
// Errors: whatever a peer sends ends in a Judgement with a named fault.
// Source: RFC 2409 5.1, RFC 4754, RFC 4945.
#pragma once

#include "common/address.h"
#include "common/bytes.h"
#include "common/error.h"
#include "control/ike/constants.h"
#include "control/ike/payload_cert.h"
#include "control/ike/payload_id.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace adit::ike {

/// How a HASH is signed. RFC 4754 3 binds each curve to its hash, and each pair has its own
/// authentication method.
enum class SignatureScheme : std::uint8_t {
    RsaRaw, // RFC 2409 5.1: PKCS #1 block type 1 around HASH itself, no DigestInfo
    EcdsaP256,
    EcdsaP384,
    EcdsaP521,
};

const char* name(SignatureScheme scheme);

/// Nothing for methods that sign nothing, or that we refuse (DSS; RSA encryption, SECURITY U12).
std::optional<SignatureScheme> scheme_of(AuthMethod method);

class SigningKey {
  public:
    virtual ~SigningKey() = default;
    [[nodiscard]] virtual SignatureScheme scheme() const = 0;
    [[nodiscard]] virtual Result<Bytes> sign(ByteView hash) const = 0;
};

/// A key pair of ours with the certificates that vouch for it.
struct OwnCertificate {
    std::string trustpoint;
    std::shared_ptr<const SigningKey> key;
    std::vector<Bytes> chain;           // DER: our own, then the intermediates that we have
    Bytes subject;                      // DER of its name, as an ID_DER_ASN1_DN says it
    std::vector<Ipv4Address> addresses; // that it holds
    std::vector<Bytes> issuers;         // DER of the names of all who signed along the chain
};

/// Why a peer's certificates or signature are not accepted.
enum class CertificateFault : std::uint8_t {
    NoCertificate,
    Malformed,
    TooMany,
    UnknownCa,
    Expired,
    NotYetValid,
    Revoked,
    NoCrl,
    CrlExpired,
    CrlInvalid,
    BadCertificateSignature,
    NotACa,        // an issuer in the chain may not issue
    TooLong,       // more issuers than we follow
    KeyUsage,      // the certificate is not for signatures
    WeakKey,       // or a weak digest
    WrongKey,      // not of the negotiated kind
    Other,         // what the X.509 library says, in words
    WrongIdentity, // the certificate does not hold the name the peer calls itself by
    BadSignature,  // of the exchange itself
    Count_,
};

/// "expired", "unknown-ca": for logs and counters.
const char* name(CertificateFault fault);

/// Everything a peer has brought to prove its name.
struct PeerProof {
    SignatureScheme scheme{};
    Identity identity;
    std::vector<CertificateBody> certificates; // as they came, in any order
    Bytes hash;                                // HASH_I or HASH_R
    Bytes signature;
};

struct Judgement {
    std::optional<CertificateFault> fault; // nothing: proved
    std::string evidence;                  // in words, with names and dates
    std::string trustpoint;                // whose CA vouches for it
};

class PeerJudge {
  public:
    virtual ~PeerJudge() = default;
    [[nodiscard]] virtual Judgement judge(const PeerProof& proof) const = 0;
};

/// Certificates as the engine's configuration holds them.
struct Credentials {
    std::vector<std::shared_ptr<const OwnCertificate>> own; // the preferred first
    std::vector<Bytes> authorities;                         // DER names of the CAs we trust
    std::shared_ptr<const PeerJudge> judge;                 // null: nobody is trusted
};

/// One of ours for the scheme, preferably under a CA the peer named. Null: there is none.
std::shared_ptr<const OwnCertificate> choose_own(const Credentials& credentials,
                                                 SignatureScheme scheme,
                                                 const std::vector<Bytes>& wanted_authorities);

} // namespace adit::ike

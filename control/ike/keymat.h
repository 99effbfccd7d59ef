// SPDX-License-Identifier: Apache-2.0
// The keys and authenticators of IKEv1 as pure functions of what the exchange has shown: the SKEYID
// family, HASH payloads, IVs, KEYMAT. Names are the RFC's: Ni_b is a nonce payload's body, g_xi a
// key exchange payload's body, M-ID a message id.
//
// Threading: pure functions; an IvChain belongs to the exchange that holds it.
// Sources: RFC 2409 5, 5.5, 5.7 and appendix B; RFC 3947 3.2.
#pragma once

#include "common/address.h"
#include "common/algorithms.h"
#include "common/bytes.h"
#include "common/secret.h"
#include "common/types.h"
#include "control/ike/constants.h"
#include "control/ike/crypto.h"

#include <array>
#include <cstddef>

namespace adit::ike {

struct CookiePair {
    Cookie initiator;
    Cookie responder;

    friend constexpr auto operator<=>(const CookiePair&, const CookiePair&) = default;
};

/// Bodies of both nonce payloads, borrowed.
struct Nonces {
    ByteView initiator; // Ni_b
    ByteView responder; // Nr_b
};

// ---------------------------------------------------------------------------------------------------
// Phase 1 (RFC 2409 5)

struct Skeyids {
    SecretBuffer skeyid;
    SecretBuffer skeyid_d; // derives keys of other SAs
    SecretBuffer skeyid_a; // authenticates ISAKMP messages
    SecretBuffer skeyid_e; // encrypts them, by way of encryption_key()

    [[nodiscard]] Skeyids clone() const {
        return {skeyid.clone(), skeyid_d.clone(), skeyid_a.clone(), skeyid_e.clone()};
    }
};

SecretBuffer skeyid_of_pre_shared_key(HashAlgorithm hash, ByteView psk, Nonces nonces);
SecretBuffer skeyid_of_signatures(HashAlgorithm hash, Nonces nonces, ByteView g_xy);

/// SKEYID_d, _a and _e of a SKEYID.
Skeyids derive_skeyids(HashAlgorithm hash, SecretBuffer skeyid, ByteView g_xy, CookiePair cookies);

/// RFC 2409 appendix B: SKEYID_e cut to the cipher's key, or expanded when it is too short.
SecretBuffer encryption_key(HashAlgorithm hash, CipherAlgorithm cipher, ByteView skeyid_e);

/// What HASH_I and HASH_R cover besides the identity, borrowed.
struct Phase1Transcript {
    CookiePair cookies;
    ByteView g_xi;
    ByteView g_xr;
    ByteView sai_b; // body of the initiator's SA payload, all offers, as it came
};

/// `idii_b`, `idir_b`: body of the identification payload, from ID type on.
SecretBuffer
hash_i(HashAlgorithm hash, ByteView skeyid, const Phase1Transcript& transcript, ByteView idii_b);
SecretBuffer
hash_r(HashAlgorithm hash, ByteView skeyid, const Phase1Transcript& transcript, ByteView idir_b);

// ---------------------------------------------------------------------------------------------------
// Phase 2 (RFC 2409 5.5, 5.7)

/// HASH(1) of quick mode, and of informational (RFC 2409 5.7) and transaction exchanges:
/// prf(SKEYID_a, M-ID | rest), rest being all payloads behind the HASH, generic headers included,
/// padding excluded.
SecretBuffer hash_1(HashAlgorithm hash, ByteView skeyid_a, MessageId message_id, ByteView rest);

/// prf(SKEYID_a, M-ID | Ni_b | rest).
SecretBuffer
hash_2(HashAlgorithm hash, ByteView skeyid_a, MessageId message_id, ByteView ni_b, ByteView rest);

/// prf(SKEYID_a, 0 | M-ID | Ni_b | Nr_b).
SecretBuffer hash_3(HashAlgorithm hash, ByteView skeyid_a, MessageId message_id, Nonces nonces);

/// What KEYMAT covers. Each SPI gives its own direction: the keys of an SA are those of the SPI its
/// receiver chose.
struct KeymatInput {
    ByteView g_qm_xy; // with PFS; empty without
    ProtocolId protocol{ProtocolId::Esp};
    Spi spi;
    Nonces nonces; // quick mode's
};

/// RFC 2409 5.5: `length_bytes` octets of K1 | K2 | ...
SecretBuffer
keymat(HashAlgorithm hash, ByteView skeyid_d, const KeymatInput& input, std::size_t length_bytes);

struct EspKeys {
    SecretBuffer cipher_key; // with the salt behind it (RFC 4106 8.1), as InstallSa wants it
    SecretBuffer mac_key;    // empty for combined modes
};

/// KEYMAT cut for one SA. RFC 4301 4.5.2: the encryption key comes from the first bits, the
/// integrity key from the rest.
EspKeys derive_esp_keys(
    HashAlgorithm hash, ByteView skeyid_d, const KeymatInput& input, EspCipher cipher, EspMac mac);

// ---------------------------------------------------------------------------------------------------
// Initialisation vectors (RFC 2409 appendix B)

/// The IV of one exchange. Each message continues from the last ciphertext block of the message
/// before it, whoever sent that:
///
///   phase 1   hash(g_xi | g_xr) -> last block of message 5 -> last block of message 6
///   phase 2   hash(last phase 1 block | M-ID) -> last block of each message of this M-ID
///
/// Decrypting does not move the chain: only a message that proved authentic may, else a stranger's
/// garbage would make the peer's next message unreadable. Retransmissions are stored ciphertext and
/// never come here.
class IvChain {
  public:
    static IvChain phase1(HashAlgorithm hash, CipherAlgorithm cipher, ByteView g_xi, ByteView g_xr);

    /// The start of another exchange under this ISAKMP SA; only of a phase 1 chain, once phase 1 is
    /// over.
    [[nodiscard]] IvChain phase2(MessageId message_id) const;

    [[nodiscard]] MessageId message_id() const { return message_id_; }

    [[nodiscard]] ByteView iv() const { return ByteView{iv_}.first(info(cipher_).block_bytes); }

    /// In place, whole blocks, at least one; moves the chain.
    Status encrypt(ByteView key, MutableBytes text);

    /// In place, whole blocks, at least one; leaves the chain where it is.
    Status decrypt(ByteView key, MutableBytes text) const;

    /// The received message is authentic: go on from its last ciphertext block.
    Status accept(ByteView ciphertext);

    /// All there is to a chain, to be kept and to go on from.
    struct Position {
        HashAlgorithm hash{};
        CipherAlgorithm cipher{};
        MessageId message_id;
        std::array<std::uint8_t, kMaxBlockBytes> iv{};
    };

    [[nodiscard]] Position position() const { return {hash_, cipher_, message_id_, iv_}; }

    explicit IvChain(const Position& position)
        : hash_(position.hash), cipher_(position.cipher), message_id_(position.message_id),
          iv_(position.iv) {}

  private:
    IvChain(HashAlgorithm hash, CipherAlgorithm cipher, MessageId message_id, ByteView digest);

    HashAlgorithm hash_;
    CipherAlgorithm cipher_;
    MessageId message_id_;
    std::array<std::uint8_t, kMaxBlockBytes> iv_{};
};

// ---------------------------------------------------------------------------------------------------
// NAT traversal

/// RFC 3947 3.2: HASH(CKY-I | CKY-R | IP | Port), the body of a NAT-D payload.
Bytes nat_discovery_hash(HashAlgorithm hash, CookiePair cookies, Endpoint endpoint);

} // namespace adit::ike

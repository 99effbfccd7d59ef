// SPDX-License-Identifier: Apache-2.0
#include "control/ike/keymat.h"

#include <algorithm>

namespace adit::ike {

namespace {

using CookieBytes = std::array<std::uint8_t, 8>;
using MessageIdBytes = std::array<std::uint8_t, 4>;

CookieBytes to_octets(Cookie cookie) {
    CookieBytes octets;
    store_be(octets.data(), cookie.value);
    return octets;
}

MessageIdBytes to_octets(MessageId message_id) {
    MessageIdBytes octets;
    store_be(octets.data(), message_id.value);
    return octets;
}

constexpr std::uint8_t kZero = 0;
constexpr std::uint8_t kOne = 1;
constexpr std::uint8_t kTwo = 2;

ByteView octet(const std::uint8_t& value) {
    return {&value, 1};
}

SecretBuffer concatenate(Parts parts) {
    std::size_t length_bytes = 0;
    for (const ByteView part : parts)
        length_bytes += part.size();
    SecretBuffer joined{length_bytes};
    auto to = joined.writable().begin();
    for (const ByteView part : parts)
        to = std::ranges::copy(part, to).out;
    return joined;
}

/// RFC 2409 5.5 and appendix B make long keys alike: K1 = prf(key, first), K2 = prf(key, K1 |
/// rest), K3 = prf(key, K2 | rest), ... until there is enough.
SecretBuffer
expand(HashAlgorithm hash, ByteView key, SecretBuffer first, Parts rest, std::size_t length_bytes) {
    const SecretBuffer joined_rest = concatenate(rest);
    SecretBuffer result{length_bytes};
    SecretBuffer block = std::move(first);
    std::size_t filled = 0;
    while (filled < length_bytes) {
        if (filled > 0)
            block = prf(hash, key, {block.view(), joined_rest.view()});
        const std::size_t taken = std::min(block.size(), length_bytes - filled);
        std::ranges::copy(block.view().first(taken), result.writable().subspan(filled).begin());
        filled += taken;
    }
    return result;
}

} // namespace

// ---------------------------------------------------------------------------------------------------
// Phase 1

// RFC 2409 5: SKEYID = prf(pre-shared-key, Ni_b | Nr_b)
SecretBuffer skeyid_of_pre_shared_key(HashAlgorithm hash, ByteView psk, Nonces nonces) {
    return prf(hash, psk, {nonces.initiator, nonces.responder});
}

// RFC 2409 5: SKEYID = prf(Ni_b | Nr_b, g^xy)
SecretBuffer skeyid_of_signatures(HashAlgorithm hash, Nonces nonces, ByteView g_xy) {
    return prf(hash, concatenate({nonces.initiator, nonces.responder}).view(), {g_xy});
}

// RFC 2409 5: SKEYID_d = prf(SKEYID, g^xy | CKY-I | CKY-R | 0)
//             SKEYID_a = prf(SKEYID, SKEYID_d | g^xy | CKY-I | CKY-R | 1)
//             SKEYID_e = prf(SKEYID, SKEYID_a | g^xy | CKY-I | CKY-R | 2)
Skeyids derive_skeyids(HashAlgorithm hash, SecretBuffer skeyid, ByteView g_xy, CookiePair cookies) {
    const CookieBytes cky_i = to_octets(cookies.initiator);
    const CookieBytes cky_r = to_octets(cookies.responder);
    Skeyids keys;
    keys.skeyid = std::move(skeyid);
    const ByteView key = keys.skeyid.view();
    keys.skeyid_d = prf(hash, key, {g_xy, cky_i, cky_r, octet(kZero)});
    keys.skeyid_a = prf(hash, key, {keys.skeyid_d.view(), g_xy, cky_i, cky_r, octet(kOne)});
    keys.skeyid_e = prf(hash, key, {keys.skeyid_a.view(), g_xy, cky_i, cky_r, octet(kTwo)});
    return keys;
}

// RFC 2409 appendix B: Ka = K1 | K2 | ..., K1 = prf(SKEYID_e, 0), K2 = prf(SKEYID_e, K1), ...
SecretBuffer encryption_key(HashAlgorithm hash, CipherAlgorithm cipher, ByteView skeyid_e) {
    const std::size_t needed = info(cipher).key_bytes;
    if (needed <= skeyid_e.size())
        return SecretBuffer{skeyid_e.first(needed)};
    return expand(hash, skeyid_e, prf(hash, skeyid_e, {octet(kZero)}), {}, needed);
}

// RFC 2409 5: HASH_I = prf(SKEYID, g^xi | g^xr | CKY-I | CKY-R | SAi_b | IDii_b)
SecretBuffer
hash_i(HashAlgorithm hash, ByteView skeyid, const Phase1Transcript& transcript, ByteView idii_b) {
    const CookieBytes cky_i = to_octets(transcript.cookies.initiator);
    const CookieBytes cky_r = to_octets(transcript.cookies.responder);
    return prf(
        hash, skeyid, {transcript.g_xi, transcript.g_xr, cky_i, cky_r, transcript.sai_b, idii_b});
}

// RFC 2409 5: HASH_R = prf(SKEYID, g^xr | g^xi | CKY-R | CKY-I | SAi_b | IDir_b)
SecretBuffer
hash_r(HashAlgorithm hash, ByteView skeyid, const Phase1Transcript& transcript, ByteView idir_b) {
    const CookieBytes cky_i = to_octets(transcript.cookies.initiator);
    const CookieBytes cky_r = to_octets(transcript.cookies.responder);
    return prf(
        hash, skeyid, {transcript.g_xr, transcript.g_xi, cky_r, cky_i, transcript.sai_b, idir_b});
}

// ---------------------------------------------------------------------------------------------------
// Phase 2

SecretBuffer hash_1(HashAlgorithm hash, ByteView skeyid_a, MessageId message_id, ByteView rest) {
    return prf(hash, skeyid_a, {to_octets(message_id), rest});
}

SecretBuffer
hash_2(HashAlgorithm hash, ByteView skeyid_a, MessageId message_id, ByteView ni_b, ByteView rest) {
    return prf(hash, skeyid_a, {to_octets(message_id), ni_b, rest});
}

SecretBuffer hash_3(HashAlgorithm hash, ByteView skeyid_a, MessageId message_id, Nonces nonces) {
    return prf(
        hash, skeyid_a, {octet(kZero), to_octets(message_id), nonces.initiator, nonces.responder});
}

// RFC 2409 5.5: K1 = prf(SKEYID_d, [ g(qm)^xy | ] protocol | SPI | Ni_b | Nr_b)
//               K2 = prf(SKEYID_d, K1 | [ g(qm)^xy | ] protocol | SPI | Ni_b | Nr_b)
SecretBuffer
keymat(HashAlgorithm hash, ByteView skeyid_d, const KeymatInput& input, std::size_t length_bytes) {
    const std::uint8_t protocol = to_wire(input.protocol);
    std::array<std::uint8_t, 4> spi;
    store_be(spi.data(), input.spi.value);
    const Parts seed = {
        input.g_qm_xy, octet(protocol), spi, input.nonces.initiator, input.nonces.responder};
    return expand(hash, skeyid_d, prf(hash, skeyid_d, seed), seed, length_bytes);
}

EspKeys derive_esp_keys(
    HashAlgorithm hash, ByteView skeyid_d, const KeymatInput& input, EspCipher cipher, EspMac mac) {
    const std::size_t cipher_bytes =
        std::size_t{info(cipher).key_bytes} + std::size_t{info(cipher).salt_bytes};
    const std::size_t mac_bytes = info(mac).key_bytes;
    const SecretBuffer material = keymat(hash, skeyid_d, input, cipher_bytes + mac_bytes);
    return {SecretBuffer{material.view().first(cipher_bytes)},
            SecretBuffer{material.view().subspan(cipher_bytes)}};
}

// ---------------------------------------------------------------------------------------------------
// Initialisation vectors

namespace {

Status require_blocks(CipherAlgorithm cipher, ByteView text) {
    if (text.empty() || text.size() % info(cipher).block_bytes != 0)
        return fail(ErrorCode::Malformed,
                    std::to_string(text.size()) + " encrypted octets are not whole blocks of " +
                        std::to_string(info(cipher).block_bytes));
    return {};
}

} // namespace

IvChain::IvChain(HashAlgorithm hash, CipherAlgorithm cipher, MessageId message_id, ByteView digest)
    : hash_(hash), cipher_(cipher), message_id_(message_id) {
    // RFC 2409 appendix B: the first IV is the beginning of a hash.
    std::ranges::copy(digest.first(info(cipher).block_bytes), iv_.begin());
}

IvChain IvChain::phase1(HashAlgorithm hash, CipherAlgorithm cipher, ByteView g_xi, ByteView g_xr) {
    return {hash, cipher, MessageId{}, ike::hash(hash, {g_xi, g_xr})};
}

IvChain IvChain::phase2(MessageId message_id) const {
    ENSURE(message_id_ == MessageId{} && message_id != MessageId{});
    return {hash_, cipher_, message_id, ike::hash(hash_, {iv(), to_octets(message_id)})};
}

Status IvChain::encrypt(ByteView key, MutableBytes text) {
    TRY_VOID(require_blocks(cipher_, text));
    TRY_VOID(cbc_encrypt(cipher_, key, iv(), text));
    return accept(text);
}

Status IvChain::decrypt(ByteView key, MutableBytes text) const {
    TRY_VOID(require_blocks(cipher_, text));
    return cbc_decrypt(cipher_, key, iv(), text);
}

Status IvChain::accept(ByteView ciphertext) {
    TRY_VOID(require_blocks(cipher_, ciphertext));
    std::ranges::copy(ciphertext.last(info(cipher_).block_bytes), iv_.begin());
    return {};
}

// ---------------------------------------------------------------------------------------------------
// NAT traversal

Bytes nat_discovery_hash(HashAlgorithm hash, CookiePair cookies, Endpoint endpoint) {
    Writer address;
    address.u32(endpoint.address.value);
    address.u16(endpoint.port);
    return ike::hash(hash,
                     {to_octets(cookies.initiator), to_octets(cookies.responder), address.view()});
}

} // namespace adit::ike

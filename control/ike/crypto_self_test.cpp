// SPDX-License-Identifier: Apache-2.0
// The start-up self test: one known answer per algorithm and group, from sources that are not this
// program. It costs some 20 ms and refuses to run on a library that computes something else.
#include "control/ike/crypto.h"

#include <string_view>

namespace adit::ike {

namespace {

Status expect(ByteView got, std::string_view expected_hex, const std::string& what) {
    if (to_hex(got) != expected_hex)
        return fail(ErrorCode::System, "cryptographic self test failed: " + what);
    return {};
}

// ---------------------------------------------------------------------------------------------------
// Hash: "abc" (RFC 1321 A.5, FIPS 180-4). Prf: key "Jefe" (RFC 2202 2 and 3, RFC 4231 4.3).

struct HashAnswer {
    HashAlgorithm hash;
    std::string_view digest;
    std::string_view mac;
};

// clang-format off: one value a line
constexpr std::array<HashAnswer, kHashes.size()> kHashAnswers = {{
    {HashAlgorithm::Md5,
     "900150983cd24fb0d6963f7d28e17f72",
     "750c783e6ab0b503eaa86e310a5db738"},
    {HashAlgorithm::Sha1,
     "a9993e364706816aba3e25717850c26c9cd0d89d",
     "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"},
    {HashAlgorithm::Sha256,
     "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
     "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
    {HashAlgorithm::Sha384,
     "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
     "8086072ba1e7cc2358baeca134c825a7",
     "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e"
     "8e2240ca5e69e2c78b3239ecfab21649"},
    {HashAlgorithm::Sha512,
     "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
     "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
     "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
     "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"},
}};
// clang-format on

Status test_hash(const HashAnswer& answer) {
    const std::string what = name(info(answer.hash).wire);
    TRY_VOID(expect(hash(answer.hash, {as_bytes("a"), as_bytes("bc")}), answer.digest, what));
    const SecretBuffer mac = prf(
        answer.hash, as_bytes("Jefe"), {as_bytes("what do ya want "), as_bytes("for nothing?")});
    return expect(mac.view(), answer.mac, "HMAC " + what);
}

// ---------------------------------------------------------------------------------------------------
// CBC: first answers of NIST's multi-block message tests (TCBCMMT3, CBCMMT128, CBCMMT192,
// CBCMMT256).

struct CipherAnswer {
    CipherAlgorithm cipher;
    std::string_view key;
    std::string_view iv;
    std::string_view plaintext;
    std::string_view ciphertext;
};

// clang-format off: one value a line
constexpr std::array<CipherAnswer, kCiphers.size()> kCipherAnswers = {{
    {CipherAlgorithm::TripleDesCbc,
     "b5cb1504802326c73df186e3e352a20de643b0d63ee30e37",
     "43f791134c5647ba",
     "dcc153cef81d6f24",
     "92538bd8af18d3ba"},
    {CipherAlgorithm::AesCbc128,
     "1f8e4973953f3fb0bd6b16662e9a3c17",
     "2fe2b333ceda8f98f4a99b40d2cd34a8",
     "45cf12964fc824ab76616ae2f4bf0822",
     "0f61c4d44c5147c03c195ad7e2cc12b2"},
    {CipherAlgorithm::AesCbc192,
     "ba75f4d1d9d7cf7f551445d56cc1a8ab2a078e15e049dc2c",
     "531ce78176401666aa30db94ec4a30eb",
     "c51fc276774dad94bcdc1d2891ec8668",
     "70dd95a14ee975e239df36ff4aee1d5d"},
    {CipherAlgorithm::AesCbc256,
     "6ed76d2d97c69fd1339589523931f2a6cff554b15f738f21ec72dd97a7330907",
     "851e8764776e6796aab722dbb644ace8",
     "6282b8c05c5c1530b97d4816ca434762",
     "6acc04142e100a65f51b97adf5172c41"},
}};
// clang-format on

Status test_cipher(const CipherAnswer& answer) {
    const std::string what =
        name(info(answer.cipher).wire) + " " + std::to_string(8 * info(answer.cipher).key_bytes);
    const Bytes key = TRY(from_hex(answer.key));
    const Bytes iv = TRY(from_hex(answer.iv));
    Bytes text = TRY(from_hex(answer.plaintext));
    TRY_VOID(cbc_encrypt(answer.cipher, key, iv, text));
    TRY_VOID(expect(text, answer.ciphertext, what + " encryption"));
    TRY_VOID(cbc_decrypt(answer.cipher, key, iv, text));
    return expect(text, answer.plaintext, what + " decryption");
}

// ---------------------------------------------------------------------------------------------------
// Diffie-Hellman: SHA-256 over the public value of kOurs and the secret it shares with kTheirs,
// computed with Python's integers from the formulas of RFC 2409, RFC 3526, RFC 5114 and RFC 5903.
// The keys are short so that MODP-8192 starts as fast as the rest.

constexpr std::string_view kOurs = "0123456789abcdef";
constexpr std::string_view kTheirs = "fedcba9876543210";

struct GroupAnswer {
    Group group;
    std::string_view fingerprint;
};

constexpr std::array kGroupAnswers = {
    GroupAnswer{Group::Modp768, "4964ceb9be84f76815c8bc83ddcfd5effab82becba0b31f1649d20c2bd53e40b"},
    GroupAnswer{Group::Modp1024,
                "9a4ec7a1772200642d57b86cce767e1d6a35be57de1276b2ad8065d646e0a187"},
    GroupAnswer{Group::Modp1536,
                "07b9a076b44af37ba43bce153e3121e5c3aace1c2448fbfe33eaca6c081f66b0"},
    GroupAnswer{Group::Modp2048,
                "6b0bcf9c2232172dba7abca09e74f384ca4a00cd6eb86c45241d929e5e5a6fa4"},
    GroupAnswer{Group::Modp3072,
                "1c8c483a8dbe6069395fa1a8901214ced16c94fb8c2709c17010b97a2ae89de5"},
    GroupAnswer{Group::Modp4096,
                "455dff10ac7e847a1c46f62232aa402206822b17c0b81c1ff9562bf22c67cdee"},
    GroupAnswer{Group::Modp6144,
                "9abcf47c6f3873b03b665dc08957477f7fc2e3f3ad9b1f593e2b5f0c71ff4987"},
    GroupAnswer{Group::Modp8192,
                "ee617f0403c3fd1f751dfb58adf4362dadb90cdc1948e5b2bba8717ed59f065d"},
    GroupAnswer{Group::Ecp256, "72c18af1caf440a9ef43ac9547a2ad27bb8968dda0a0b216de4099144e71bbf3"},
    GroupAnswer{Group::Ecp384, "95c8d38052633a3ebc7d7e90fe54fb963c7d3988505f30189837ad2ca9db1767"},
    GroupAnswer{Group::Ecp521, "78b55cd8401168d5fb2fd5953898715a7d849790649baaf2cfc7c4f0865d1219"},
    GroupAnswer{Group::Modp2048Subgroup256,
                "3b7ef9b676cc41d869accfbd6ab0bc01f42bdd91bbeae8cbcddc7e31839b02f1"},
};
static_assert(kGroupAnswers.size() == kGroups.size());

Status test_group(const GroupAnswer& answer) {
    const Bytes our_key = TRY(from_hex(kOurs));
    const Bytes their_key = TRY(from_hex(kTheirs));
    const DhKeyPair ours = TRY(dh_from_private(answer.group, our_key));
    const DhKeyPair theirs = TRY(dh_from_private(answer.group, their_key));
    const SecretBuffer shared = TRY(dh_agree(answer.group, our_key, theirs.public_value));
    return expect(hash(HashAlgorithm::Sha256, {ours.public_value, shared.view()}),
                  answer.fingerprint,
                  name(answer.group));
}

} // namespace

Status self_test() {
    for (const HashAnswer& answer : kHashAnswers)
        TRY_VOID(test_hash(answer));
    for (const CipherAnswer& answer : kCipherAnswers)
        TRY_VOID(test_cipher(answer));
    for (const GroupAnswer& answer : kGroupAnswers)
        TRY_VOID(test_group(answer));
    return {};
}

} // namespace adit::ike

// SPDX-License-Identifier: Apache-2.0
#include "dataplane/crypto_known_answers.h"

#include "common/bytes.h"
#include "common/secret.h"
#include "dataplane/crypto_mb.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace adit::dataplane {

namespace {

// CBC: NIST SP 800-38A F.2.1, F.2.3, F.2.5. 3DES: keys of NIST SP 800-67 appendix B.1, answer by
// OpenSSL. GCM: Wycheproof aes_gcm_test tests 12, 186, 101 (8 octets of AAD, as ESP has).
constexpr CipherAnswer kCipherAnswers[] = {
    {EspCipher::AesCbc128,
     "AES-128-CBC",
     "2b7e151628aed2a6abf7158809cf4f3c",
     "000102030405060708090a0b0c0d0e0f",
     "",
     "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
     "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710",
     "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2"
     "73bed6b8e3c1743b7116e69e222295163ff1caa1681fac09120eca307586e1a7",
     ""},
    {EspCipher::AesCbc192,
     "AES-192-CBC",
     "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b",
     "000102030405060708090a0b0c0d0e0f",
     "",
     "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
     "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710",
     "4f021db243bc633d7178183a9fa071e8b4d9ada9ad7dedf4e5e738763f69145a"
     "571b242012fb7ae07fa9baac3df102e008b0e27988598881d920a9e64f5615cd",
     ""},
    {EspCipher::AesCbc256,
     "AES-256-CBC",
     "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
     "000102030405060708090a0b0c0d0e0f",
     "",
     "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
     "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710",
     "f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d"
     "39f23369a9d9bacfa530e26304231461b2eb05e2c39be9fcda6c19078c6a9d1b",
     ""},
    {EspCipher::TripleDesCbc,
     "3DES-CBC",
     "0123456789abcdef23456789abcdef01456789abcdef0123",
     "f69f2445df4f9b17",
     "",
     "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51",
     "2079c3d53aa763e193b79e2569ab5262516570481f25b50f73c0bda85c8e0da7",
     ""},
    {EspCipher::AesGcm128,
     "AES-128-GCM",
     "e63a43216c08867210e248859eb5e99c",
     "9c3a4263d983456658aad4b1",
     "834afdc5c737186b",
     "b14da56b0462dc05b871fc815273ff4810f92f4b",
     "bf864616c2347509ca9b10446379b9bdbb3b8f64",
     "a97d25b490390b53c5db91f6ee2a15b8"},
    {EspCipher::AesGcm192,
     "AES-192-GCM",
     "fa5b9b41f93f8b682c04ba816c3fecc24eec095b04dd7497",
     "62b9cf1e923bc1138d05d205",
     "2ed8487153e21b12",
     "18159841813a69fc0f8f4229e1678da7c9016711",
     "c7c1cbb85ce2a0a3f32cb9ef01ad45ec1118b66d",
     "253317f98bdab87531ece20475cd9ebb"},
    {EspCipher::AesGcm256,
     "AES-256-GCM",
     "cdccfe3f46d782ef47df4e72f0c02d9c7f774def970d23486f11a57f54247f17",
     "376187894605a8d45e30de51",
     "956846a209e087ed",
     "e28e0e9f9d22463ac0e42639b530f42102fded75",
     "feca44952447015b5df1f456df8ca4bb4eee2ce2",
     "082e91924deeb77880e1b1c84f9b8d30"},
};

// "Hi There" under a key of 0x0b octets: RFC 2202 2 and 3 (case 1), RFC 4868 2.7.2 (AUTH case 1).
constexpr MacAnswer kMacAnswers[] = {
    {EspMac::HmacMd5_96, "HMAC-MD5", "9294727a3638bb1c13f48ef8"},
    {EspMac::HmacSha1_96, "HMAC-SHA1", "b617318655057264e28bc0b6"},
    {EspMac::HmacSha256_128, "HMAC-SHA256", "198a607eb44bfbc69903a0f1cf2bbdc5"},
    {EspMac::HmacSha384_192, "HMAC-SHA384", "b6a8d5636f5c6a7224f9977dcf7ee6c7fb6d0c48cbdee973"},
    {EspMac::HmacSha512_256,
     "HMAC-SHA512",
     "637edc6e01dce7e6742a99451aae82df23da3e92439e590e43e761b33e910fb8"},
};

constexpr std::size_t kMaxAnswerBytes = 64;

/// A job alone, the lanes half full, and more jobs than any architecture has lanes.
constexpr std::size_t kCompanies[] = {1, 5, 17};

struct Packet {
    std::array<std::uint8_t, kMaxAnswerBytes> text;
    std::array<std::uint8_t, kMaxAnswerBytes> tag;
};

/// Same job `count` times, each on its own copy of `text`.
std::vector<CryptoJob>
jobs_on(std::vector<Packet>& packets, std::size_t count, ByteView text, const CryptoJob& model) {
    packets.assign(count, Packet{});
    std::vector<CryptoJob> jobs(count, model);
    for (std::size_t i = 0; i < count; ++i) {
        std::copy(text.begin(), text.end(), packets[i].text.begin());
        jobs[i].text = packets[i].text.data();
        jobs[i].tag = packets[i].tag.data();
        if (jobs[i].authenticated == nullptr)
            jobs[i].authenticated = packets[i].text.data();
    }
    return jobs;
}

bool all_hold(const std::vector<Packet>& packets, ByteView text, ByteView tag) {
    return std::ranges::all_of(packets, [&](const Packet& packet) {
        return std::equal(text.begin(), text.end(), packet.text.begin()) &&
               std::equal(tag.begin(), tag.end(), packet.tag.begin());
    });
}

Status wrong(const char* name, const char* operation) {
    return fail(ErrorCode::Invalid,
                std::string{"crypto self-test: "} + name + " gave a wrong answer when " +
                    operation + "; the crypto library or this CPU cannot be trusted");
}

Status check(CryptoMb& crypto, const CipherAnswer& answer) {
    const Bytes key = TRY(from_hex(answer.key));
    const Bytes iv = TRY(from_hex(answer.iv));
    const Bytes aad = TRY(from_hex(answer.aad));
    const Bytes plaintext = TRY(from_hex(answer.plaintext));
    const Bytes ciphertext = TRY(from_hex(answer.ciphertext));
    const Bytes tag = TRY(from_hex(answer.tag));
    const bool combined = is_combined_mode(answer.cipher);
    // A cipher never runs without a MAC; which one does not matter here.
    const EspMac mac = combined ? EspMac::None : EspMac::HmacSha1_96;
    const Bytes mac_key(info(mac).key_bytes, 0x0b);
    KeyBlock keys;
    crypto.expand(answer.cipher, mac, key, mac_key, keys);
    const CryptoJob model{.keys = &keys,
                          .text = nullptr,
                          .iv = iv.data(),
                          .authenticated = combined ? aad.data() : nullptr,
                          .tag = nullptr,
                          .text_bytes = static_cast<std::uint32_t>(plaintext.size()),
                          .authenticated_bytes =
                              static_cast<std::uint32_t>(combined ? aad.size() : plaintext.size()),
                          .cipher = answer.cipher,
                          .mac = mac};
    std::vector<Packet> packets;
    for (const std::size_t company : kCompanies) {
        auto jobs = jobs_on(packets, company, plaintext, model);
        crypto.seal(jobs);
        if (!all_hold(packets, ciphertext, tag))
            return wrong(answer.name, "enciphering");
        jobs = jobs_on(packets, company, ciphertext, model);
        crypto.verify(jobs);
        crypto.decipher(jobs);
        if (!all_hold(packets, plaintext, tag))
            return wrong(answer.name, "deciphering");
    }
    wipe(&keys, sizeof keys);
    return {};
}

Status check(CryptoMb& crypto, const MacAnswer& answer) {
    const ByteView text = as_bytes("Hi There");
    const Bytes tag = TRY(from_hex(answer.tag));
    const Bytes key(info(answer.mac).key_bytes, 0x0b);
    KeyBlock keys;
    crypto.expand(EspCipher::Null, answer.mac, {}, key, keys);
    const CryptoJob model{.keys = &keys,
                          .text = nullptr,
                          .iv = nullptr,
                          .authenticated = nullptr,
                          .tag = nullptr,
                          .text_bytes = static_cast<std::uint32_t>(text.size()),
                          .authenticated_bytes = static_cast<std::uint32_t>(text.size()),
                          .cipher = EspCipher::Null,
                          .mac = answer.mac};
    std::vector<Packet> packets;
    for (const std::size_t company : kCompanies) {
        auto jobs = jobs_on(packets, company, text, model);
        crypto.verify(jobs);
        if (!all_hold(packets, text, tag))
            return wrong(answer.name, "authenticating");
    }
    return {};
}

} // namespace

KnownAnswers known_answers() {
    return {kCipherAnswers, kMacAnswers};
}

Status run_known_answers(CryptoMb& crypto, const KnownAnswers& answers) {
    for (const CipherAnswer& answer : answers.ciphers)
        TRY_VOID(check(crypto, answer));
    for (const MacAnswer& answer : answers.macs)
        TRY_VOID(check(crypto, answer));
    return {};
}

} // namespace adit::dataplane

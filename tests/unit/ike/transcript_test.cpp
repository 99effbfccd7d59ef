// SPDX-License-Identifier: Apache-2.0
// Recorded exchanges with another implementation: from the pre-shared key, the initiator's secret
// exponent and the datagrams, every key and every authenticator must come out byte for byte.
#include "control/ike/keymat.h"
#include "tests/support/vectors.h"

#include <gtest/gtest.h>

#include <map>
#include <optional>

namespace adit::ike {
namespace {

using nlohmann::json;
using test::text;
using test::unhex;

constexpr std::size_t kHeaderBytes = 28; // RFC 2408 3.1

struct Datagram {
    Bytes header;
    Bytes body; // payloads, decrypted when they were encrypted

    [[nodiscard]] bool encrypted() const { return (header[19] & kFlagEncryption) != 0; }

    [[nodiscard]] MessageId message_id() const {
        return MessageId{load_be<std::uint32_t>(&header[20])};
    }
};

Datagram parse_datagram(const std::string& hex) {
    Bytes bytes = unhex(hex);
    if (load_be<std::uint32_t>(bytes.data()) == 0) // RFC 3948 2.2: non-ESP marker
        bytes.erase(bytes.begin(), bytes.begin() + 4);
    return {Bytes(bytes.begin(), bytes.begin() + kHeaderBytes),
            Bytes(bytes.begin() + kHeaderBytes, bytes.end())};
}

/// Just enough of RFC 2408 3.2 to find bodies in messages known to be sound.
struct Payloads {
    std::multimap<PayloadType, Bytes> bodies;
    Bytes behind_first; // all generic headers and bodies after the first payload, without padding
    std::size_t total_bytes{0};

    [[nodiscard]] Bytes body(PayloadType type) const {
        const auto found = bodies.find(type);
        return found == bodies.end() ? Bytes{} : found->second;
    }
};

Payloads parse_payloads(const Datagram& datagram) {
    Payloads payloads;
    auto next = from_wire<PayloadType>(datagram.header[16]);
    std::size_t first_bytes = 0;
    while (next != PayloadType::None) {
        const std::uint8_t* at = &datagram.body.at(payloads.total_bytes);
        const std::size_t length = load_be<std::uint16_t>(at + 2);
        payloads.bodies.emplace(next, Bytes(at + 4, at + length));
        next = from_wire<PayloadType>(*at);
        payloads.total_bytes += length;
        if (first_bytes == 0)
            first_bytes = length;
    }
    payloads.behind_first.assign(datagram.body.begin() + static_cast<std::ptrdiff_t>(first_bytes),
                                 datagram.body.begin() +
                                     static_cast<std::ptrdiff_t>(payloads.total_bytes));
    return payloads;
}

HashAlgorithm hash_named(const std::string& text) {
    const std::map<std::string, HashAlgorithm> names = {{"md5", HashAlgorithm::Md5},
                                                        {"sha1", HashAlgorithm::Sha1},
                                                        {"sha256", HashAlgorithm::Sha256},
                                                        {"sha384", HashAlgorithm::Sha384},
                                                        {"sha512", HashAlgorithm::Sha512}};
    return names.at(text);
}

std::pair<EspCipher, EspMac> suite_named(const std::string& text) {
    const std::map<std::string, EspCipher> ciphers = {{"cbc128", EspCipher::AesCbc128},
                                                      {"cbc192", EspCipher::AesCbc192},
                                                      {"cbc256", EspCipher::AesCbc256}};
    const std::map<std::string, EspMac> macs = {{"sha1", EspMac::HmacSha1_96},
                                                {"sha256", EspMac::HmacSha256_128},
                                                {"sha384", EspMac::HmacSha384_192},
                                                {"sha512", EspMac::HmacSha512_256}};
    const std::size_t dash = text.find('-');
    return {ciphers.at(text.substr(0, dash)), macs.at(text.substr(dash + 1))};
}

/// One transcript, replayed step by step in the order of the exchange.
class Transcript {
  public:
    explicit Transcript(const json& from)
        : from_(from), ike_(from.at("ike")), hash_(hash_named(text(ike_, "hash"))),
          cipher_(find_cipher(IkeEncryption::AesCbc, ike_.at("keylen"))->cipher),
          group_(from_wire<Group>(ike_.at("group").get<std::uint16_t>())), ni_(unhex(ike_, "ni")),
          nr_(unhex(ike_, "nr")), g_xi_(unhex(ike_, "gxi")), g_xr_(unhex(ike_, "gxr")),
          cookies_{Cookie{load_be<std::uint64_t>(unhex(ike_, "ic").data())},
                   Cookie{load_be<std::uint64_t>(unhex(ike_, "rc").data())}},
          chain_(IvChain::phase1(hash_, cipher_, g_xi_, g_xr_)) {
        for (const json& message : from.at("messages"))
            datagrams_.push_back(parse_datagram(message.at(1).get<std::string>()));
    }

    [[nodiscard]] bool is_main_mode() const { return text(from_, "mode") == "main"; }

    void check_keys() {
        const Bytes x = unhex(ike_, "x");
        EXPECT_EQ(to_hex(dh_from_private(group_, x)->public_value), text(ike_, "gxi"));
        const auto g_xy = dh_agree(group_, x, g_xr_);
        ASSERT_TRUE(g_xy);
        EXPECT_EQ(to_hex(g_xy->view()), text(ike_, "gxy"));
        keys_ = derive_skeyids(
            hash_,
            skeyid_of_pre_shared_key(
                hash_, as_bytes(from_.at("psk").get_ref<const std::string&>()), {ni_, nr_}),
            g_xy->view(),
            cookies_);
        EXPECT_EQ(to_hex(keys_.skeyid.view()), text(ike_, "skeyid"));
        EXPECT_EQ(to_hex(keys_.skeyid_d.view()), text(ike_, "skeyid_d"));
        EXPECT_EQ(to_hex(keys_.skeyid_a.view()), text(ike_, "skeyid_a"));
        EXPECT_EQ(to_hex(keys_.skeyid_e.view()), text(ike_, "skeyid_e"));
        key_ = encryption_key(hash_, cipher_, keys_.skeyid_e.view());
        EXPECT_EQ(to_hex(key_.view()), text(ike_, "ekey"));
    }

    /// Messages 5 and 6 carry identities and hashes, encrypted.
    void check_main_mode() {
        const Bytes sai_b = parse_payloads(datagrams_[0]).body(PayloadType::SecurityAssociation);
        const Payloads fifth = open(4, chain_);
        const Payloads sixth = open(5, chain_);
        check_phase1_hashes(sai_b, fifth, fifth, sixth, sixth);
        next_ = 6;
    }

    /// Identities and HASH_R travel in clear, HASH_I encrypted.
    void check_aggressive_mode() {
        const Payloads first = parse_payloads(datagrams_[0]);
        const Payloads second = parse_payloads(datagrams_[1]);
        const Payloads third = open(2, chain_);
        check_phase1_hashes(
            first.body(PayloadType::SecurityAssociation), first, third, second, second);
        next_ = 3;
    }

    void check_quick_mode() {
        const MessageId id = datagrams_[next_].message_id();
        EXPECT_EQ(id.value, from_.at("child").at("mid").get<std::uint32_t>());
        IvChain chain = chain_.phase2(id);
        const Payloads first = open(next_, chain);
        const Payloads second = open(next_ + 1, chain);
        const Payloads third = open(next_ + 2, chain);
        const Bytes ni = first.body(PayloadType::Nonce);
        const Bytes nr = second.body(PayloadType::Nonce);
        const ByteView skeyid_a = keys_.skeyid_a.view();
        EXPECT_EQ(to_hex(first.body(PayloadType::Hash)),
                  to_hex(hash_1(hash_, skeyid_a, id, first.behind_first).view()));
        EXPECT_EQ(to_hex(second.body(PayloadType::Hash)),
                  to_hex(hash_2(hash_, skeyid_a, id, ni, second.behind_first).view()));
        EXPECT_EQ(to_hex(third.body(PayloadType::Hash)),
                  to_hex(hash_3(hash_, skeyid_a, id, {ni, nr}).view()));
        check_child("in", spi_in(first), {ni, nr});
        check_child("out", spi_in(second), {ni, nr});
    }

  private:
    /// Decrypts message `index`, checks that encrypting the plaintext again gives the same bytes,
    /// and moves the chain on.
    Payloads open(std::size_t index, IvChain& chain) {
        Datagram& datagram = datagrams_[index];
        EXPECT_TRUE(datagram.encrypted()) << index;
        const Bytes ciphertext = datagram.body;
        EXPECT_TRUE(chain.decrypt(key_.view(), datagram.body));
        IvChain sender = chain;
        Bytes again = datagram.body;
        EXPECT_TRUE(sender.encrypt(key_.view(), again));
        EXPECT_EQ(to_hex(again), to_hex(ciphertext));
        EXPECT_TRUE(chain.accept(ciphertext));
        EXPECT_EQ(to_hex(sender.iv()), to_hex(chain.iv()));
        return parse_payloads(datagram);
    }

    void check_phase1_hashes(const Bytes& sai_b,
                             const Payloads& with_idii,
                             const Payloads& with_hash_i,
                             const Payloads& with_idir,
                             const Payloads& with_hash_r) {
        const Phase1Transcript transcript{cookies_, g_xi_, g_xr_, sai_b};
        const Bytes idii_b = with_idii.body(PayloadType::Identification);
        const Bytes idir_b = with_idir.body(PayloadType::Identification);
        EXPECT_FALSE(idii_b.empty());
        EXPECT_FALSE(idir_b.empty());
        EXPECT_EQ(to_hex(with_hash_i.body(PayloadType::Hash)),
                  to_hex(hash_i(hash_, keys_.skeyid.view(), transcript, idii_b).view()));
        EXPECT_EQ(to_hex(with_hash_r.body(PayloadType::Hash)),
                  to_hex(hash_r(hash_, keys_.skeyid.view(), transcript, idir_b).view()));
    }

    /// The first proposal's SPI: DOI, situation, proposal header, SPI (RFC 2408 3.4, 3.5).
    static Spi spi_in(const Payloads& payloads) {
        return Spi{load_be<std::uint32_t>(payloads.body(PayloadType::SecurityAssociation).data() +
                                          4 + 4 + 8)};
    }

    void check_child(const char* direction, Spi spi, Nonces nonces) {
        const json& expected = from_.at("child").at(direction);
        EXPECT_EQ(spi.value, load_be<std::uint32_t>(unhex(expected, "spi").data()));
        const auto [cipher, mac] = suite_named(text(from_.at("child"), "suite"));
        const EspKeys keys = derive_esp_keys(
            hash_, keys_.skeyid_d.view(), {{}, ProtocolId::Esp, spi, nonces}, cipher, mac);
        EXPECT_EQ(to_hex(keys.cipher_key.view()), text(expected, "key"));
        EXPECT_EQ(to_hex(keys.mac_key.view()), text(expected, "auth_key"));
    }

    const json& from_;
    const json& ike_;
    HashAlgorithm hash_;
    CipherAlgorithm cipher_;
    Group group_;
    Bytes ni_, nr_, g_xi_, g_xr_;
    CookiePair cookies_;
    IvChain chain_;
    std::vector<Datagram> datagrams_;
    Skeyids keys_;
    SecretBuffer key_;
    std::size_t next_{0}; // first message of quick mode
};

TEST(Transcripts, EveryKeyAndHashComesOutTheSame) {
    const json transcripts = test::load_json("own/ike1_transcripts.json");
    unsigned main_modes = 0;
    unsigned aggressive_modes = 0;
    for (const json& from : transcripts) {
        SCOPED_TRACE(from.at("mode").get<std::string>() + " " +
                     from.at("suite").get<std::string>());
        Transcript transcript{from};
        transcript.check_keys();
        if (transcript.is_main_mode()) {
            ++main_modes;
            transcript.check_main_mode();
        } else {
            ++aggressive_modes;
            transcript.check_aggressive_mode();
        }
        transcript.check_quick_mode();
    }
    EXPECT_EQ(main_modes, 7U);
    EXPECT_EQ(aggressive_modes, 6U);
}

} // namespace
} // namespace adit::ike

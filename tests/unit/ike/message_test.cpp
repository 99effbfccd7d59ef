// SPDX-License-Identifier: Apache-2.0
// Parsing and writing of messages and payloads, against recorded exchanges of another
// implementation and against everything that can be wrong with them.
#include "control/ike/message.h"
#include "control/ike/payload_id.h"
#include "control/ike/payload_notify.h"
#include "control/ike/proposal.h"
#include "tests/support/vectors.h"

#include <gtest/gtest.h>

namespace adit::ike {
namespace {

/// Every datagram of every transcript, without the non-ESP marker.
std::vector<Bytes> recorded() {
    std::vector<Bytes> datagrams;
    for (const auto& exchange : test::load_json("own/ike1_transcripts.json"))
        for (const auto& message : exchange.at("messages")) {
            Bytes octets = test::unhex(message.at(1).get<std::string>());
            if (load_be<std::uint32_t>(octets.data()) == 0)
                octets.erase(octets.begin(), octets.begin() + 4);
            datagrams.push_back(std::move(octets));
        }
    return datagrams;
}

std::vector<Bytes> recorded_in_clear() {
    std::vector<Bytes> datagrams = recorded();
    std::erase_if(datagrams, [](const Bytes& octets) { return parse_header(octets)->encrypted(); });
    return datagrams;
}

/// All parsers an unauthenticated datagram can reach; whether they like it is not the question.
void parse_everything(ByteView octets) {
    const auto message = parse_clear(octets);
    if (!message)
        return;
    for (const Payload& payload : message->payloads) {
        if (const auto sa = parse_sa(payload.body)) {
            (void)describe_phase1(*sa);
            (void)describe_phase2(*sa);
        }
        if (const auto identity = parse_identity(payload.body))
            (void)to_string(*identity);
        (void)parse_notification(payload.body);
        (void)parse_delete(payload.body);
    }
}

TEST(Message, RecordedMessagesComeOutOctetForOctet) {
    const auto datagrams = recorded_in_clear();
    ASSERT_GE(datagrams.size(), 36U);
    for (const Bytes& octets : datagrams) {
        const auto message = parse_clear(octets);
        ASSERT_TRUE(message) << message.error().text;
        MessageBuilder builder;
        for (const Payload& payload : message->payloads)
            builder.add(payload.type, to_bytes(payload.body));
        EXPECT_EQ(to_hex(builder.clear(message->header)), to_hex(octets));
    }
}

TEST(Message, RecordedSaPayloadsComeOutOctetForOctet) {
    for (const Bytes& octets : recorded_in_clear()) {
        const auto message = parse_clear(octets);
        const Payload* payload = message->find(PayloadType::SecurityAssociation);
        if (payload == nullptr)
            continue;
        const auto sa = parse_sa(payload->body);
        ASSERT_TRUE(sa) << sa.error().text;
        std::vector<ProposalOut> proposals;
        for (const ProposalView& proposal : sa->proposals) {
            ProposalOut out{proposal.number, proposal.protocol, to_bytes(proposal.spi), {}};
            for (const TransformView& transform : proposal.transforms)
                out.transforms.push_back(
                    {transform.number, transform.id, to_bytes(transform.attributes)});
            proposals.push_back(std::move(out));
        }
        EXPECT_EQ(build_sa(proposals), to_bytes(payload->body));
    }
}

TEST(Message, EveryTruncationIsRefused) {
    for (const Bytes& octets : recorded())
        for (std::size_t length = 0; length < octets.size(); ++length)
            EXPECT_FALSE(parse_clear(ByteView{octets}.first(length))) << length;
}

TEST(Message, WrongHeaderLengthsAreRefused) {
    for (Bytes octets : recorded_in_clear()) {
        const auto size = static_cast<std::uint32_t>(octets.size());
        for (const std::uint32_t length : {0U, 27U, 28U, size - 1, size + 1, 0xffffffffU}) {
            store_be(octets.data() + 24, length);
            EXPECT_FALSE(parse_clear(octets)) << length;
        }
    }
}

TEST(Message, EveryPayloadLengthOffByOneIsRefused) {
    for (const Bytes& octets : recorded_in_clear()) {
        const auto message = parse_clear(octets);
        for (const Payload& payload : message->payloads)
            for (const int change : {-1, 1}) {
                Bytes changed = octets;
                const auto at = static_cast<std::size_t>(payload.whole.data() - octets.data()) + 2;
                const int length = load_be<std::uint16_t>(changed.data() + at) + change;
                store_be(changed.data() + at, static_cast<std::uint16_t>(length));
                // The chain after it slips: refused, or at least not the same message.
                const auto slipped = parse_clear(changed);
                EXPECT_TRUE(!slipped || slipped->payloads.size() != message->payloads.size());
            }
    }
}

TEST(Message, EveryFlippedBitIsSurvived) {
    for (const Bytes& octets : recorded_in_clear())
        for (std::size_t bit = 0; bit < octets.size() * 8; ++bit) {
            Bytes changed = octets;
            changed[bit / 8] = static_cast<std::uint8_t>(changed[bit / 8] ^ (1U << bit % 8));
            parse_everything(changed);
        }
}

TEST(Message, OtherVersionsAndUnknownFlagsAreRefused) {
    for (const Bytes& octets : recorded_in_clear())
        for (const std::size_t offset : {17U, 19U}) {
            Bytes changed = octets;
            changed[offset] |= 0x80;
            EXPECT_FALSE(parse_clear(changed));
        }
}

TEST(Message, ReservedOctetOfAPayloadMustBeZero) {
    for (Bytes octets : recorded_in_clear()) {
        octets[kHeaderBytes + 1] = 1;
        EXPECT_FALSE(parse_clear(octets));
    }
}

TEST(Message, EmptyPayloadsCannotLoopForEver) {
    Bytes octets = recorded_in_clear().front();
    store_be(octets.data() + kHeaderBytes + 2, std::uint16_t{0});
    EXPECT_FALSE(parse_clear(octets));
    MessageBuilder many;
    for (std::size_t i = 0; i <= kMaxPayloads; ++i)
        many.add(PayloadType::VendorId, {});
    EXPECT_FALSE(parse_clear(many.clear(parse_clear(recorded_in_clear().front())->header)));
}

// --- proposals -----------------------------------------------------------------------------------

Phase1Policy policy() {
    return {10,
            CipherAlgorithm::AesCbc256,
            HashAlgorithm::Sha256,
            Group::Modp2048,
            std::chrono::seconds{86'400}};
}

/// One transform whose attributes the test writes.
template <class Write> Bytes offer_with(const Write& write) {
    Writer attributes;
    write(attributes);
    return build_sa(
        {{1, ProtocolId::Isakmp, {}, {{1, kTransformKeyIke, std::move(attributes).take()}}}});
}

void write_good(Writer& writer) {
    write_attribute(writer, 1, 7);
    write_attribute(writer, 14, 256);
    write_attribute(writer, 2, 4);
    write_attribute(writer, 3, 1);
    write_attribute(writer, 4, 14);
}

bool acceptable(const Bytes& body) {
    const auto sa = parse_sa(body);
    return sa && choose_phase1(*sa, {policy()}).has_value();
}

TEST(Proposal, OfferIsAcceptedAndComesBackUnchanged) {
    const Bytes offer = offer_phase1({policy()});
    const auto sa = parse_sa(offer);
    ASSERT_TRUE(sa);
    const auto choice = choose_phase1(*sa, {policy()});
    ASSERT_TRUE(choice);
    EXPECT_EQ(answer_phase1(*choice), offer);
    const auto answer = parse_sa(offer);
    EXPECT_TRUE(accept_phase1(*answer, {policy()}));
}

TEST(Proposal, LifetimesAreReadInBothForms) {
    EXPECT_TRUE(acceptable(offer_with([](Writer& writer) {
        write_good(writer);
        write_attribute(writer, 11, 1);
        write_attribute(writer, 12, 3'600); // basic
    })));
    EXPECT_TRUE(acceptable(offer_with([](Writer& writer) {
        write_good(writer);
        write_attribute(writer, 11, 1);
        write_attribute(writer, 12, 86'400); // variable
    })));
}

TEST(Proposal, WhateverIsNotUnderstoodMakesAnOfferUnacceptable) {
    const auto with = [](std::uint16_t type, std::uint32_t value) {
        return offer_with([&](Writer& writer) {
            write_good(writer);
            write_attribute(writer, type, value);
        });
    };
    EXPECT_FALSE(acceptable(with(5, 1)));    // group type
    EXPECT_FALSE(acceptable(with(6, 99)));   // group prime
    EXPECT_FALSE(acceptable(with(13, 1)));   // prf
    EXPECT_FALSE(acceptable(with(14, 128))); // a second key length
    EXPECT_FALSE(acceptable(with(1, 5)));    // a second cipher
    EXPECT_FALSE(acceptable(with(12, 60)));  // duration without type
    EXPECT_FALSE(acceptable(with(11, 1)));   // type without duration
    EXPECT_FALSE(acceptable(with(11, 3)));   // unknown life type
    EXPECT_FALSE(acceptable(with(16'000, 3)));
}

TEST(Proposal, GroupPrimeLongerThanItsDataIsRefused) {
    for (const std::uint16_t length :
         {std::uint16_t{96}, std::uint16_t{0xffff}, std::uint16_t{0}}) {
        const Bytes body = offer_with([&](Writer& writer) {
            write_good(writer);
            writer.u16(6);
            writer.u16(length);
            writer.zeros(length == 96 ? 96 : 4);
        });
        EXPECT_FALSE(acceptable(body)) << length;
    }
}

TEST(Proposal, KeyLengthMustBeExactlyTheOneConfigured) {
    for (const std::uint32_t bits : {0U, 128U, 192U, 255U, 0xffffU})
        EXPECT_FALSE(acceptable(offer_with([&](Writer& writer) {
            write_attribute(writer, 1, 7);
            if (bits != 0)
                write_attribute(writer, 14, bits);
            write_attribute(writer, 2, 4);
            write_attribute(writer, 3, 1);
            write_attribute(writer, 4, 14);
        }))) << bits;
}

TEST(Proposal, RsaEncryptionMethodsAreNeverAccepted) {
    for (std::uint32_t method = 0; method < 70'000; ++method) {
        const bool accepted = acceptable(offer_with([&](Writer& writer) {
            write_attribute(writer, 1, 7);
            write_attribute(writer, 14, 256);
            write_attribute(writer, 2, 4);
            write_attribute(writer, 3, method);
            write_attribute(writer, 4, 14);
        }));
        ASSERT_EQ(accepted, method == 1) << method;
    }
}

TEST(Proposal, AlteredAnswerIsDenied) {
    Phase1Policy other = policy();
    other.group = Group::Modp1024;
    const Bytes answer = offer_phase1({other});
    const auto sa = parse_sa(answer);
    EXPECT_FALSE(accept_phase1(*sa, {policy()}));
    const Bytes two = offer_phase1({policy(), other});
    const auto both = parse_sa(two);
    EXPECT_FALSE(accept_phase1(*both, {policy(), other})) << "two transforms are no choice";
}

const std::vector<Phase2Transform> kSets = {
    {"A", EspCipher::AesCbc256, EspMac::HmacSha256_128, false}};

Phase2Terms terms() {
    return {kSets, {}, std::chrono::seconds{3'600}, 4'608'000, NatVersion::None};
}

TEST(Proposal, EspOfferIsAcceptedOnlyWithAllItsParts) {
    const Bytes offer = offer_phase2(terms(), Spi{0x12345678});
    const auto sa = parse_sa(offer);
    ASSERT_TRUE(choose_phase2(*sa, terms()));
    EXPECT_EQ(choose_phase2(*sa, terms())->spi, Spi{0x12345678});
    Phase2Terms wanting_pfs = terms();
    wanting_pfs.pfs = Group::Modp2048;
    const auto refused = choose_phase2(*sa, wanting_pfs);
    ASSERT_FALSE(refused);
    EXPECT_TRUE(refused.error().group_at_fault);
    Phase2Terms behind_nat = terms();
    behind_nat.encapsulation = NatVersion::Rfc3947;
    EXPECT_FALSE(choose_phase2(*sa, behind_nat));
}

TEST(Proposal, ReservedSpisAndForeignTransformsAreRefused) {
    for (const std::uint32_t spi : {0U, 1U, 255U}) {
        const Bytes offer = offer_phase2(terms(), Spi{spi});
        EXPECT_FALSE(choose_phase2(*parse_sa(offer), terms())) << spi;
    }
    for (std::uint32_t id = 0; id < 256; ++id) {
        Bytes offer = offer_phase2(terms(), Spi{0x1000});
        offer[8 + 4 + 4 + 4 + 4 + 1] = static_cast<std::uint8_t>(id); // transform id
        const auto sa = parse_sa(offer);
        EXPECT_EQ(choose_phase2(*sa, terms()).has_value(), id == 12) << id;
    }
}

// --- identities, notifications, deletes ----------------------------------------------------------

Bytes id_body(IdType type, std::size_t length) {
    return build_identity({type, 0, 0, Bytes(length, 0x41)});
}

TEST(Identity, LengthsAreThoseOfTheType) {
    for (std::size_t length = 0; length < 40; ++length) {
        EXPECT_EQ(parse_identity(id_body(IdType::Ipv4Address, length)).has_value(), length == 4);
        EXPECT_EQ(parse_identity(id_body(IdType::Ipv4Subnet, length)).has_value(), length == 8);
        EXPECT_EQ(parse_identity(id_body(IdType::Ipv4Range, length)).has_value(), length == 8);
        EXPECT_EQ(parse_identity(id_body(IdType::Fqdn, length)).has_value(), length != 0);
    }
    EXPECT_FALSE(parse_identity(id_body(IdType::Fqdn, 9'000)));
    EXPECT_FALSE(parse_identity(ByteView{}));
    EXPECT_FALSE(parse_identity(Bytes{1, 0, 0}));
}

TEST(Identity, NamesWithControlCharactersAreRefused) {
    for (const char bad : {'\0', '\n', '\x1b', ' ', '\x7f'}) {
        Identity identity{IdType::Fqdn, 0, 0, to_bytes(as_bytes("gw.example.com"))};
        identity.data[3] = static_cast<std::uint8_t>(bad);
        EXPECT_FALSE(parse_identity(build_identity(identity)));
    }
}

TEST(Identity, ClientRangesComeOutAsTheyWentIn) {
    for (const char* prefix : {"10.1.0.0/16", "0.0.0.0/0", "192.0.2.1/32", "10.0.0.0/31"}) {
        const ClientRange client{Ipv4Range::of(*parse_ipv4_prefix(prefix)), 6, {443, 443}};
        const auto back = client_range(client_identity(client));
        ASSERT_TRUE(back);
        EXPECT_EQ(*back, client) << prefix;
    }
    const ClientRange odd{{Ipv4Address{10, 0, 0, 1}, Ipv4Address{10, 0, 0, 6}}, 0, {}};
    EXPECT_EQ(*client_range(client_identity(odd)), odd);
}

TEST(Identity, MasksWithHolesAndBackwardRangesAreRefused) {
    Identity subnet{IdType::Ipv4Subnet, 0, 0, {10, 0, 0, 0, 255, 0, 255, 0}};
    EXPECT_FALSE(client_range(subnet));
    Identity backwards{IdType::Ipv4Range, 0, 0, {10, 0, 0, 9, 10, 0, 0, 1}};
    EXPECT_FALSE(client_range(backwards));
    EXPECT_FALSE(client_range({IdType::Fqdn, 0, 0, {'a'}}));
}

TEST(DeletePayload, CountAndLengthMustAgree) {
    const Bytes good = build_delete(ProtocolId::Esp, {spi_bytes(Spi{1}), spi_bytes(Spi{2})});
    ASSERT_TRUE(parse_delete(good));
    EXPECT_EQ(parse_delete(good)->spis.size(), 2U);
    for (const std::uint16_t count : std::initializer_list<std::uint16_t>{0, 1, 3, 65'535}) {
        Bytes bad = good;
        store_be(bad.data() + 6, count);
        EXPECT_FALSE(parse_delete(bad)) << count;
    }
    for (std::uint32_t size = 0; size < 256; ++size) {
        Bytes bad = good;
        bad[5] = static_cast<std::uint8_t>(size);
        EXPECT_EQ(parse_delete(bad).has_value(), size == 4) << size;
    }
}

TEST(Notification, ComesOutAsItWentIn) {
    const Notification dpd{ProtocolId::Isakmp,
                           NotifyType::RUThere,
                           cookies_as_spi({Cookie{1}, Cookie{2}}),
                           {0, 0, 0, 9}};
    const Bytes body = build_notification(dpd);
    const auto back = parse_notification(body);
    ASSERT_TRUE(back);
    EXPECT_EQ(back->type, dpd.type);
    EXPECT_EQ(back->data, dpd.data);
    EXPECT_EQ(cookies_of_spi(back->spi), (CookiePair{Cookie{1}, Cookie{2}}));
    for (std::size_t length = 0; length < 24; ++length)
        EXPECT_FALSE(parse_notification(ByteView{body}.first(length)));
}

} // namespace
} // namespace adit::ike

// SPDX-License-Identifier: Apache-2.0
// Messages no peer sends, made by rule rather than by hand: every payload type in every exchange in
// every shape, at every moment of a negotiation. Whatever has no row of the table changes nothing,
// gets no answer longer than itself, and costs no more work than its length explains.
#include "control/ike/message.h"
#include "control/ike/payload_id.h"
#include "control/ike/payload_notify.h"
#include "control/ike/proposal.h"
#include "control/ike/transitions.h"
#include "tests/support/ike_network.h"
#include "tests/support/vectors.h"
#include "tests/support/work_meter.h"

#include <gtest/gtest.h>

namespace adit::ike {
namespace {

using test::Gateway;
using test::Network;
using test::unhex;
using namespace std::chrono_literals;

constexpr std::array kExchanges = {
    ExchangeType::None,
    ExchangeType::Base,
    ExchangeType::IdentityProtection,
    ExchangeType::AuthenticationOnly,
    ExchangeType::Aggressive,
    ExchangeType::Informational,
    ExchangeType::Transaction,
    ExchangeType::QuickMode,
    ExchangeType::NewGroupMode,
    from_wire<ExchangeType>(34), // IKEv2's
    from_wire<ExchangeType>(255),
};

/// Those with a meaning, and some without.
constexpr std::array<std::uint8_t, 32> kTypes = {0,  1,  2,  3,  4,   5,   6,   7,   8,   9,  10,
                                                 11, 12, 13, 14, 15,  16,  17,  18,  19,  20, 21,
                                                 22, 33, 46, 53, 127, 128, 130, 131, 132, 255};

enum class Shape { Alone, BehindHash, BehindSa, Twice, BehindKeAndNonce };

std::vector<PayloadType> payloads_of(Shape shape, PayloadType type) {
    using P = PayloadType;
    switch (shape) {
    case Shape::Alone:
        return {type};
    case Shape::BehindHash:
        return {P::Hash, type};
    case Shape::BehindSa:
        return {P::SecurityAssociation, type};
    case Shape::Twice:
        return {type, type};
    case Shape::BehindKeAndNonce:
        return {P::KeyExchange, P::Nonce, type};
    }
    return {};
}

/// Does any state of this exchange take such a message in the clear? Then it is not an intruder.
bool has_clear_row(ExchangeType exchange, const std::vector<PayloadType>& payloads) {
    PayloadSet present;
    for (const PayloadType type : payloads)
        present.insert(type);
    return std::ranges::any_of(transitions(), [&](const Row& row) {
        return row.exchange == exchange && row.event == Happening::Received &&
               row.protection == Protection::Clear && present.contains(row.required) &&
               (row.required | row.optional).contains(present);
    });
}

/// What must not change.
struct Standing {
    std::vector<std::string> states;
    std::size_t children;
    std::size_t installed;

    friend bool operator==(const Standing&, const Standing&) = default;
};

Standing standing_of(const Gateway& gateway) {
    Standing standing{{}, gateway.engine.child_sas().size(), gateway.installed.size()};
    for (const IsakmpSaView& sa : gateway.engine.isakmp_sas())
        standing.states.push_back(sa.state);
    return standing;
}

/// A negotiation, stopped at one of its datagrams.
class Hostile : public ::testing::TestWithParam<int> {
  protected:
    /// Allocations that one short datagram may cause: parsing, a log line, a refusal.
    static constexpr std::size_t kMaxAllocations = 400;

    void SetUp() override {
        a = &network.add("left", test::kLeft, test::left_config(), 1);
        b = &network.add("right", test::kRight, test::right_config(), 2);
    }

    /// Delivers to both sides in the other's name.
    void intrude(const Bytes& datagram) {
        for (Gateway* victim : {a, b}) {
            const Standing before = standing_of(*victim);
            answered_ = 0;
            const test::WorkMeter meter;
            network.give_datagram(
                *victim, {victim == a ? test::kRight : test::kLeft, 500}, 500, datagram);
            const std::size_t allocations = meter.done().allocations;
            EXPECT_EQ(standing_of(*victim), before) << to_hex(datagram);
            EXPECT_LE(answered_, datagram.size()) << to_hex(datagram);
            EXPECT_LE(allocations, kMaxAllocations) << to_hex(datagram);
            ++intruders_;
        }
    }

    /// Runs a tunnel's nine messages and calls `now` before the one that the parameter names.
    template <class Act> void run_and_interrupt(const Act& act) {
        int messages = 0;
        bool intruding = false;
        network.tap = [&](const SendDatagram& send) {
            if (intruding) {
                answered_ += send.payload.size();
                return false;
            }
            if (++messages == GetParam()) {
                intruding = true;
                act(*parse_header(send.payload));
                intruding = false;
            }
            return true;
        };
        network.give(*a, test::initiate());
        network.run_for(3s);
        EXPECT_GT(intruders_, 0U);
        EXPECT_EQ(a->engine.child_sas().size(), 1U);
        EXPECT_EQ(b->engine.child_sas().size(), 1U);
        network.run_for(120s);
        EXPECT_EQ(a->engine.isakmp_sas().size(), 1U);
        EXPECT_EQ(b->engine.isakmp_sas().size(), 1U);
    }

    Network network{17};
    Gateway* a{nullptr};
    Gateway* b{nullptr};

  private:
    std::size_t answered_{0};
    std::size_t intruders_{0};
};

TEST_P(Hostile, NoPayloadInNoExchangeInNoShapeDoesAnything) {
    run_and_interrupt([&](Header header) {
        for (const ExchangeType exchange : kExchanges)
            for (const std::uint8_t number : kTypes)
                for (const Shape shape : {Shape::Alone,
                                          Shape::BehindHash,
                                          Shape::BehindSa,
                                          Shape::Twice,
                                          Shape::BehindKeAndNonce})
                    for (const std::uint8_t flags :
                         {std::uint8_t{0}, kFlagEncryption, kFlagCommit, kFlagAuthenticationOnly}) {
                        const auto payloads = payloads_of(shape, from_wire<PayloadType>(number));
                        if (has_clear_row(exchange, payloads))
                            continue;
                        header.exchange = exchange;
                        header.flags = flags;
                        header.message_id = MessageId{number % 2 == 0 ? 0U : 99U};
                        MessageBuilder message;
                        for (const PayloadType type : payloads)
                            message.add(type, Bytes(28, 0));
                        intrude(message.clear(header));
                    }
    });
}

/// RFC 2408 3.1: the length is the datagram's. And every way a chain of payloads can lie.
TEST_P(Hostile, LengthsThatLieDoNothing) {
    run_and_interrupt([&](const Header& header) {
        MessageBuilder builder;
        builder.add(PayloadType::KeyExchange, Bytes(64, 1)).add(PayloadType::Nonce, Bytes(32, 2));
        const Bytes sound = builder.clear(header);
        for (const std::uint32_t length : {0U,
                                           27U,
                                           28U,
                                           static_cast<std::uint32_t>(sound.size() - 1),
                                           static_cast<std::uint32_t>(sound.size() + 1),
                                           0x7fffffffU,
                                           0xffffffffU}) {
            Bytes lie = sound;
            store_be(lie.data() + 24, length);
            intrude(lie);
        }
        for (const int length : {0, 1, 2, 3, 67, 69, 104, 105, 0x7fff, 0xffff}) {
            Bytes lie = sound;
            store_be(lie.data() + kHeaderBytes + 2, static_cast<std::uint16_t>(length));
            intrude(lie);
        }
        for (std::size_t length = 0; length < sound.size(); ++length) {
            Bytes cut{sound.begin(), sound.begin() + static_cast<std::ptrdiff_t>(length)};
            intrude(cut);
            if (length < kHeaderBytes)
                continue;
            store_be(cut.data() + 24, static_cast<std::uint32_t>(length)); // the header agrees
            intrude(cut);
        }
    });
}

/// A chain that could be walked for ever or very long.
TEST_P(Hostile, ChainsWithoutEndEnd) {
    run_and_interrupt([&](Header header) {
        for (const std::uint8_t type : std::initializer_list<std::uint8_t>{8, 13, 20, 130, 132}) {
            Writer writer;
            header.next_payload = from_wire<PayloadType>(type);
            write_header(writer, header);
            for (int i = 0; i < 2000; ++i) {
                writer.u8(type);
                writer.u8(0);
                writer.u16(kGenericHeaderBytes);
            }
            patch_length(writer);
            intrude(std::move(writer).take());
        }
    });
}

/// Deletes and notifications in the clear, of everything there is.
TEST_P(Hostile, DeletesInTheClearDeleteNothing) {
    run_and_interrupt([&](Header header) {
        header.exchange = ExchangeType::Informational;
        header.message_id = MessageId{7};
        std::vector<Bytes> all;
        for (const Gateway* gateway : {a, b})
            for (const ChildSaView& child : gateway->engine.child_sas())
                for (const Spi spi : {child.inbound_spi, child.outbound_spi})
                    all.push_back(spi_bytes(spi));
        all.push_back(spi_bytes(Spi{0x10000001}));
        const Bytes cookies = cookies_as_spi(header.cookies);
        for (const Bytes& body : {build_delete(ProtocolId::Esp, all),
                                  build_delete(ProtocolId::Isakmp, {cookies}),
                                  build_delete(ProtocolId::Isakmp, {})}) {
            MessageBuilder message;
            message.add(PayloadType::Delete, body);
            intrude(message.clear(header));
            MessageBuilder behind_hash;
            behind_hash.add(PayloadType::Hash, Bytes(32, 0)).add(PayloadType::Delete, body);
            intrude(behind_hash.clear(header));
        }
    });
}

INSTANTIATE_TEST_SUITE_P(BeforeMessage, Hostile, ::testing::Range(2, 10));

// --- first messages -----------------------------------------------------------------------------

/// CVE-2016-6415: what a group attribute claims beyond its data must never come back.
TEST(HostileFirstMessage, GroupAttributesLongerThanTheirDataGetNothingOfOurs) {
    for (const char* attribute :
         {"00060060", "0006ffff", "0006ffffdeadbeef", "00070060", "000c0060"}) {
        Network network{1};
        Gateway& b = network.add("right", test::kRight, test::right_config(), 2);
        std::vector<Bytes> answers;
        network.tap = [&](const SendDatagram& send) {
            answers.push_back(send.payload);
            return true;
        };
        Header header;
        header.cookies.initiator = Cookie{5};
        header.exchange = ExchangeType::IdentityProtection;
        const Bytes attributes = unhex(std::string{"800100078002000480030001"} + attribute);
        Writer body;
        body.u32(to_wire(Doi::Ipsec));
        body.u32(kSituationIdentityOnly);
        body.append(unhex("00000000010100"
                          "01")); // proposal 1, ISAKMP, no SPI, one transform
        const std::size_t transform_bytes = 8 + attributes.size();
        Bytes octets = std::move(body).take();
        store_be(octets.data() + 10, static_cast<std::uint16_t>(8 + transform_bytes));
        Writer transform;
        transform.u16(0);
        transform.u16(static_cast<std::uint16_t>(transform_bytes));
        transform.u8(1);
        transform.u8(kTransformKeyIke);
        transform.u16(0);
        transform.append(attributes);
        octets.insert(octets.end(), transform.view().begin(), transform.view().end());
        MessageBuilder message;
        message.add(PayloadType::SecurityAssociation, octets);
        const Bytes question = message.clear(header);
        network.give_datagram(b, {test::kLeft, 500}, 500, question);
        ASSERT_LE(answers.size(), 1U);
        for (const Bytes& answer : answers) {
            EXPECT_LE(answer.size(), question.size());
            const auto notify = parse_clear(answer);
            ASSERT_TRUE(notify);
            ASSERT_EQ(notify->payloads.size(), 1U);
            const auto said = parse_notification(notify->payloads.front().body);
            ASSERT_TRUE(said);
            EXPECT_TRUE(is_error(said->type));
            EXPECT_TRUE(said->data.empty());
        }
        EXPECT_TRUE(b.engine.isakmp_sas().empty());
    }
}

// --- identities ---------------------------------------------------------------------------------

/// Forms that broke others: no crash, and no more work than their length explains.
TEST(HostileIdentity, StrangeFormsCostNoMoreThanTheirLength) {
    std::vector<Bytes> forms;
    for (unsigned type = 0; type <= 13; ++type)
        for (const std::size_t length : std::initializer_list<std::size_t>{
                 0, 1, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 255, 9'000}) {
            Bytes body(4 + length, 0x41);
            body[0] = static_cast<std::uint8_t>(type);
            body[1] = body[2] = body[3] = 0;
            forms.push_back(body);
        }
    // DER that claims more than there is, nests without end, or has no end.
    for (const char* der :
         {"30847fffffff", "3080", "30ffffffffffffffff", "308201", "3084ffffffff30"})
        forms.push_back(unhex(std::string{"09000000"} + der));
    Bytes nested = unhex("09000000");
    for (int depth = 0; depth < 2000; ++depth)
        for (const std::uint8_t octet : std::initializer_list<std::uint8_t>{0x30, 0x80})
            nested.push_back(octet);
    forms.push_back(nested);
    forms.push_back(unhex("02000000"
                          "67617465"
                          "00"
                          "2e6578616d706c65")); // "gate\0.example"
    for (const Bytes& form : forms) {
        const test::WorkMeter meter;
        if (const auto identity = parse_identity(form))
            (void)to_string(*identity);
        EXPECT_LE(meter.done().bytes, 16 * form.size() + 4096) << to_hex(form).substr(0, 60);
    }
}

} // namespace
} // namespace adit::ike

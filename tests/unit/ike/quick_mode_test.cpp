// SPDX-License-Identifier: Apache-2.0
// What quick mode agrees to: proposals, modes, sequence numbers, lifetimes, PFS, proxy identities.
#include "control/ike/attributes.h"
#include "control/ike/payload_id.h"
#include "control/ike/payload_notify.h"
#include "control/ike/phase2_terms.h"
#include "tests/support/ike_network.h"

#include <gtest/gtest.h>

#include <tuple>

namespace adit::ike {
namespace {

using test::Gateway;
using test::Network;
using namespace std::chrono_literals;

// --- proposals -----------------------------------------------------------------------------------

const Phase2Transform kCbc{"CBC", EspCipher::AesCbc256, EspMac::HmacSha256_128};
const Phase2Transform kGcm{"GCM", EspCipher::AesGcm128, EspMac::None};

Phase2Terms terms(std::vector<Phase2Transform> sets) {
    return {std::move(sets), {}, 3'600s, 4'608'000, NatVersion::None};
}

ProposalOut proposal(std::uint8_t number, ProtocolId protocol, std::uint8_t transform) {
    Writer attributes;
    write_attribute(attributes, to_wire(IpsecAttribute::EncapsulationMode), 1);
    write_attribute(attributes, to_wire(IpsecAttribute::KeyLength), 256);
    write_attribute(attributes, to_wire(IpsecAttribute::AuthenticationAlgorithm), 5);
    return {
        number, protocol, spi_bytes(Spi{0x1000}), {{1, transform, std::move(attributes).take()}}};
}

constexpr std::uint8_t kAes = 12;
constexpr std::uint8_t kAhSha = 3;
constexpr std::uint8_t kDeflate = 2;

TEST(Proposals, OfOneNumberAreTakenTogetherOrNotAtAll) {
    const ProposalOut esp = proposal(1, ProtocolId::Esp, kAes);
    const ProposalOut ah = proposal(1, ProtocolId::Ah, kAhSha);
    const ProposalOut ipcomp = proposal(1, ProtocolId::Ipcomp, kDeflate);
    const std::vector<std::vector<ProposalOut>> refused = {
        {esp, ah},
        {ah, esp},
        {esp, ipcomp},
        {esp, esp},
        {esp, proposal(2, ProtocolId::Ah, kAhSha), ipcomp},
        {ah},
    };
    for (const auto& offer : refused) {
        const Bytes body = build_sa(offer);
        EXPECT_FALSE(choose_phase2(*parse_sa(body), terms({kCbc}))) << to_hex(body);
    }
}

TEST(Proposals, BehindOneThatIsRefusedAreStillConsidered) {
    const Bytes body = build_sa({proposal(1, ProtocolId::Ah, kAhSha),
                                 proposal(1, ProtocolId::Esp, kAes),
                                 proposal(2, ProtocolId::Esp, kAes)});
    const auto choice = choose_phase2(*parse_sa(body), terms({kCbc}));
    ASSERT_TRUE(choice);
    EXPECT_EQ(choice->proposal_number, 2);
}

TEST(Proposals, AreChosenInOurOrder) {
    const Bytes theirs = offer_phase2(terms({kCbc, kGcm}), Spi{0x1000});
    EXPECT_EQ(choose_phase2(*parse_sa(theirs), terms({kGcm, kCbc}))->algorithms.name, "GCM");
    EXPECT_EQ(choose_phase2(*parse_sa(theirs), terms({kCbc, kGcm}))->algorithms.name, "CBC");
}

TEST(Proposals, SetsAreOfferedUnderRisingNumbers) {
    const Bytes body = offer_phase2(terms({kCbc, kGcm, kCbc}), Spi{0x1000});
    const auto sa = parse_sa(body);
    ASSERT_EQ(sa->proposals.size(), 3U);
    for (std::uint8_t i = 0; i < 3; ++i)
        EXPECT_EQ(sa->proposals[i].number, i + 1);
}

TEST(Proposals, SequenceNumbersMustBeOfOneLength) {
    Phase2Transform extended = kGcm;
    extended.esn = true;
    const auto agree = [](const Phase2Transform& theirs, const Phase2Transform& ours) {
        const Bytes offer = offer_phase2(terms({theirs}), Spi{0x1000});
        return choose_phase2(*parse_sa(offer), terms({ours})).has_value();
    };
    EXPECT_TRUE(agree(extended, extended));
    EXPECT_TRUE(agree(kGcm, kGcm));
    EXPECT_FALSE(agree(extended, kGcm));
    EXPECT_FALSE(agree(kGcm, extended));
}

TEST(Proposals, SequenceNumberAttributeHasOneValueAndStandsOnce) {
    const auto decodes = [](std::initializer_list<std::uint32_t> values) {
        Writer attributes;
        for (const std::uint32_t value : values)
            write_attribute(attributes, to_wire(IpsecAttribute::ExtendedSequenceNumber), value);
        const Bytes bytes = std::move(attributes).take();
        return decode_phase2({1, kAes, bytes}).has_value();
    };
    EXPECT_TRUE(decodes({1}));
    EXPECT_FALSE(decodes({0}));
    EXPECT_FALSE(decodes({2}));
    EXPECT_FALSE(decodes({1, 1}));
    EXPECT_FALSE(decodes({0x10001}));
}

TEST(Proposals, LifetimesAreReadInEitherFormAndAnyOrder) {
    // Type and duration, seconds 3600 and kilobytes 70000; basic and in four or eight octets.
    const char* const kForms[] = {
        "80010001 80020e10 80010002 0002000400011170",
        "80010002 0002000400011170 80010001 80020e10",
        "80010001 0002000400000e10 80010002 000200080000000000011170",
        "00010002 0001 00020002 0e10 80010002 0002000400011170",
    };
    for (const char* form : kForms) {
        std::string digits{form};
        std::erase(digits, ' ');
        const Bytes bytes = *from_hex(digits);
        const auto offer = decode_phase2({1, kAes, bytes});
        ASSERT_TRUE(offer) << form << ": " << offer.error().text;
        EXPECT_EQ(offer->lifetime, Duration{3'600s}) << form;
        EXPECT_EQ(offer->kilobytes, 70'000U) << form;
    }
}

TEST(Proposals, WeakGroupsAreForThoseWhoNameThem) {
    for (const GroupInfo& group : kGroups) {
        Phase2Terms theirs = terms({kGcm});
        theirs.pfs = group.group;
        const Bytes offer = offer_phase2(theirs, Spi{0x1000});
        const auto sa = parse_sa(offer);
        EXPECT_EQ(choose_phase2(*sa, terms({kGcm})).has_value(), !is_weak(group.group))
            << group.name;
        EXPECT_TRUE(choose_phase2(*sa, theirs)) << group.name;
        Phase2Terms other = terms({kGcm});
        other.pfs = group.group == Group::Ecp256 ? Group::Modp2048 : Group::Ecp256;
        EXPECT_FALSE(choose_phase2(*sa, other)) << group.name;
    }
}

// --- proxy identities ----------------------------------------------------------------------------

TEST(ProxyIdentities, AreJudgedByKind) {
    struct Case {
        const char* what;
        IdType type;
        std::uint8_t protocol;
        std::uint16_t port;
        Bytes data;
        const char* means; // empty: refused
    };

    const Case cases[] = {
        {"host", IdType::Ipv4Address, 0, 0, {10, 1, 2, 3}, "10.1.2.3/255.255.255.255/0/0"},
        {"subnet",
         IdType::Ipv4Subnet,
         0,
         0,
         {10, 1, 0, 0, 255, 255, 0, 0},
         "10.1.0.0/255.255.0.0/0/0"},
        {"subnet with host bits",
         IdType::Ipv4Subnet,
         0,
         0,
         {10, 1, 2, 3, 255, 255, 0, 0},
         "10.1.0.0/255.255.0.0/0/0"},
        {"everything", IdType::Ipv4Subnet, 0, 0, {0, 0, 0, 0, 0, 0, 0, 0}, "0.0.0.0/0.0.0.0/0/0"},
        {"range", IdType::Ipv4Range, 0, 0, {10, 1, 0, 1, 10, 1, 0, 9}, "10.1.0.1-10.1.0.9/0/0"},
        {"range that is a subnet",
         IdType::Ipv4Range,
         0,
         0,
         {10, 1, 0, 0, 10, 1, 0, 255},
         "10.1.0.0/255.255.255.0/0/0"},
        {"protocol", IdType::Ipv4Address, 47, 0, {10, 1, 2, 3}, "10.1.2.3/255.255.255.255/47/0"},
        {"protocol and port",
         IdType::Ipv4Address,
         6,
         80,
         {10, 1, 2, 3},
         "10.1.2.3/255.255.255.255/6/80"},
        {"port without protocol", IdType::Ipv4Address, 0, 80, {10, 1, 2, 3}, ""},
        {"mask with holes", IdType::Ipv4Subnet, 0, 0, {10, 1, 0, 0, 255, 0, 255, 0}, ""},
        {"mask upside down", IdType::Ipv4Subnet, 0, 0, {10, 1, 0, 0, 0, 0, 255, 255}, ""},
        {"range backwards", IdType::Ipv4Range, 0, 0, {10, 1, 0, 9, 10, 1, 0, 1}, ""},
        {"name", IdType::Fqdn, 0, 0, {'g', 'w'}, ""},
        {"mail name", IdType::UserFqdn, 0, 0, {'a', '@', 'b'}, ""},
        {"key id", IdType::KeyId, 0, 0, {1, 2, 3, 4}, ""},
        {"distinguished name", IdType::DerDn, 0, 0, {0x30, 0}, ""},
        {"IPv6 address", IdType::Ipv6Address, 0, 0, Bytes(16, 0xfe), ""},
        {"IPv6 subnet", IdType::Ipv6Subnet, 0, 0, Bytes(32, 0xff), ""},
        {"IPv6 range", IdType::Ipv6Range, 0, 0, Bytes(32, 0xfe), ""},
        {"unknown kind", from_wire<IdType>(200), 0, 0, {10, 1, 2, 3}, ""},
    };
    for (const Case& each : cases) {
        const auto range = client_range({each.type, each.protocol, each.port, each.data});
        EXPECT_EQ(range ? to_string(*range) : "", each.means) << each.what;
    }
    EXPECT_NE(client_range({IdType::Ipv6Address, 0, 0, Bytes(16)}).error().text.find("IPv6"),
              std::string::npos);
}

// --- between two gateways ------------------------------------------------------------------------

class QuickModeTerms : public ::testing::Test {
  protected:
    using Change = void (*)(Connection&);

    void connect(Change ours, Change theirs) {
        EngineConfig left = test::left_config();
        EngineConfig right = test::right_config();
        ours(left.connections.front());
        theirs(right.connections.front());
        a = &network.add("left", test::kLeft, left, 1);
        b = &network.add("right", test::kRight, right, 2);
        network.give(*a, test::initiate());
        network.run_for(3s);
    }

    void expect_nothing(Failure theirs) const {
        EXPECT_TRUE(a->installed.empty());
        EXPECT_TRUE(b->installed.empty());
        EXPECT_EQ(b->failures(theirs), 1U);
    }

    Network network{31};
    Gateway* a{nullptr};
    Gateway* b{nullptr};
};

/// The flow is what the gateways say to each other.
void between_gateways(Connection& connection) {
    connection.flows.front().selector.local = Ipv4Range::host(connection.local);
    connection.flows.front().selector.remote = Ipv4Range::host(connection.peers.front());
}

void transport(Connection& connection) {
    between_gateways(connection);
    connection.transforms.front().transport = true;
}

void transport_only(Connection& connection) {
    transport(connection);
    connection.transforms.front().transport_required = true;
}

TEST_F(QuickModeTerms, TransportModeIsForTheGatewaysThemselves) {
    connect(transport, transport);
    ASSERT_EQ(a->installed.size(), 2U);
    ASSERT_EQ(b->installed.size(), 2U);
    EXPECT_TRUE(a->engine.child_sas().front().transport);
    EXPECT_TRUE(b->engine.child_sas().front().transport);
    for (const auto& [id, sa] : a->installed)
        EXPECT_TRUE(sa.transport);
}

TEST_F(QuickModeTerms, NetworksGetTunnelModeFromTheSameSet) {
    const Change only_set = [](Connection& c) { c.transforms.front().transport = true; };
    connect(only_set, only_set);
    ASSERT_EQ(b->engine.child_sas().size(), 1U);
    EXPECT_FALSE(b->engine.child_sas().front().transport);
}

TEST_F(QuickModeTerms, TunnelModeWillDoUnlessTransportIsRequired) {
    connect(between_gateways, transport);
    ASSERT_EQ(b->engine.child_sas().size(), 1U);
    EXPECT_FALSE(b->engine.child_sas().front().transport);
}

TEST_F(QuickModeTerms, RequiredTransportModeRefusesTunnelMode) {
    connect(between_gateways, transport_only);
    expect_nothing(Failure::NoPhase2Proposal);
}

TEST_F(QuickModeTerms, TunnelSetsRefuseTransportMode) {
    connect(transport, between_gateways);
    expect_nothing(Failure::NoPhase2Proposal);
}

TEST_F(QuickModeTerms, RequiredTransportModeIsNotOfferedForNetworks) {
    const Change require = [](Connection& c) {
        c.transforms.front().transport = true;
        c.transforms.front().transport_required = true;
    };
    connect(require, require);
    EXPECT_EQ(a->failures(Failure::NoPhase2Proposal), 1U);
    EXPECT_TRUE(a->logged({"require transport mode", "10.1.0.0/255.255.0.0"}));
    EXPECT_EQ(a->spis.in_use(), 0U);
}

TEST_F(QuickModeTerms, ExtendedSequenceNumbersReachTheDataplane) {
    const Change esn = [](Connection& c) { c.transforms.front().esn = true; };
    connect(esn, esn);
    ASSERT_EQ(a->installed.size(), 2U);
    ASSERT_EQ(b->installed.size(), 2U);
    for (const Gateway* gateway : {a, b})
        for (const auto& [id, sa] : gateway->installed)
            EXPECT_TRUE(sa.esn);
    EXPECT_TRUE(a->engine.child_sas().front().esn);
}

TEST_F(QuickModeTerms, ResponderTellsItsShorterLifetime) {
    connect([](Connection&) {},
            [](Connection& c) {
                c.lifetime = 600s;
                c.lifetime_kilobytes = 5'000;
            });
    // The answer carries our own offer back, so only the notification can have told us.
    const ChildSaView ours = a->engine.child_sas().front();
    EXPECT_EQ(ours.expires - ours.established_at, Duration{600s});
    EXPECT_EQ(ours.lifetime_kilobytes, 5'000U);
}

TEST_F(QuickModeTerms, ResponderTakesTheInitiatorsShorterLifetime) {
    connect([](Connection& c) { c.lifetime = 600s; }, [](Connection&) {});
    const ChildSaView theirs = b->engine.child_sas().front();
    EXPECT_EQ(theirs.expires - theirs.established_at, Duration{600s});
}

} // namespace
} // namespace adit::ike

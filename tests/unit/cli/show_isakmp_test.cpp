// SPDX-License-Identifier: Apache-2.0
#include "control/cli/show_isakmp.h"
#include "tests/unit/cli/show_fixture.h"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <regex>

namespace adit::cli {
namespace {

using namespace test;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TEST(ShowIsakmpSaActive, HasASlotAndStandbyHasNobody) {
    EXPECT_EQ(show_isakmp_sa_active(test::sample()),
              "IPv4 Crypto ISAKMP SA\n"
              "dst             src             state          conn-id slot status\n"
              "192.0.2.1       192.0.2.20      QM_IDLE           1003    0 ACTIVE\n\n");
    EXPECT_EQ(show_isakmp_sa_standby(test::sample()),
              "IPv4 Crypto ISAKMP SA\n"
              "dst             src             state          conn-id slot status\n");
}

TEST(ShowIsakmpSa, PrintsResponderAsDstAndInitiatorAsSrc) {
    Snapshot snapshot = sample();
    snapshot.isakmp.push_back(sample_isakmp());
    ike::IsakmpSaView& ours = snapshot.isakmp.back();
    ours.conn_id = ConnId{1001};
    ours.role = ike::Role::Initiator;
    ours.remote.address = Ipv4Address{203, 0, 113, 9};
    ours.state = "MM_NO_STATE";
    ours.deleted = true;
    EXPECT_EQ(show_isakmp_sa(snapshot),
              "IPv4 Crypto ISAKMP SA\n"
              "dst             src             state          conn-id status\n"
              "192.0.2.1       192.0.2.20      QM_IDLE           1003 ACTIVE\n"
              "203.0.113.9     192.0.2.1       MM_NO_STATE       1001 ACTIVE (deleted)\n"
              "\n"
              "IPv6 Crypto ISAKMP SA\n"
              "\n");
}

TEST(ShowIsakmpSa, PrintsBothHeadingsWhenEmpty) {
    EXPECT_EQ(show_isakmp_sa(empty()),
              "IPv4 Crypto ISAKMP SA\n"
              "dst             src             state          conn-id status\n"
              "\n"
              "IPv6 Crypto ISAKMP SA\n"
              "\n");
}

TEST(ShowIsakmpSaDetail, PrintsAlgorithmsAndWhatIsLeft) {
    EXPECT_EQ(
        show_isakmp_sa_detail(sample()),
        "Codes: C - IKE configuration mode, D - Dead Peer Detection\n"
        "       K - Keepalives, N - NAT-traversal\n"
        "       T - cTCP encapsulation, X - IKE Extended Authentication\n"
        "       psk - Preshared key, rsig - RSA signature\n"
        "       renc - RSA encryption\n"
        "IPv4 Crypto ISAKMP SA\n"
        "\n"
        "C-id  Local           Remote          I-VRF  Status Encr Hash   Auth DH Lifetime Cap.\n"
        "\n"
        "1003  192.0.2.1       192.0.2.20             ACTIVE aes  sha256 psk  14 23:41:09 D   \n"
        "       Engine-id:Conn-id =  SW:3\n"
        "\n"
        "IPv6 Crypto ISAKMP SA\n"
        "\n");
}

TEST(ShowIsakmpSaDetail, LeavesAlgorithmsEmptyBeforeTheyAreAgreed) {
    Snapshot snapshot = sample();
    ike::IsakmpSaView& sa = snapshot.isakmp.front();
    sa.conn_id = ConnId{};
    sa.policy.reset();
    sa.expires.reset();
    sa.dpd = false;
    EXPECT_THAT(
        show_isakmp_sa_detail(snapshot),
        HasSubstr("0     192.0.2.1       192.0.2.20             ACTIVE                  0  0  "));
}

TEST(ShowIsakmpSaCount, CountsByState) {
    Snapshot snapshot = sample();
    snapshot.isakmp.push_back(sample_isakmp());
    snapshot.isakmp.back().established = false;
    snapshot.isakmp.push_back(sample_isakmp());
    snapshot.isakmp.back().deleted = true;
    EXPECT_EQ(show_isakmp_sa_count(snapshot),
              "Active ISAKMP SA's: 1\n"
              "\n"
              "Standby ISAKMP SA's: 0\n"
              "\n"
              "Currently being negotiated ISAKMP SA's: 1\n"
              "\n"
              "Dead ISAKMP SA's: 1\n"
              "\n");
}

TEST(ShowIsakmpPolicy, PrintsSuitesByPriority) {
    config::Config config = sample_config();
    config.isakmp_policies[20] = {ike::CipherAlgorithm::TripleDesCbc,
                                  ike::HashAlgorithm::Md5,
                                  config::AuthenticationMethod::RsaSig,
                                  ike::Group::Modp1024,
                                  3'600};
    EXPECT_EQ(show_isakmp_policy(snapshot_of(config)),
              "\n"
              "Global IKE policy\n"
              "Protection suite of priority 10\n"
              "\tencryption algorithm:\tAES - Advanced Encryption Standard (256 bit keys).\n"
              "\thash algorithm:\t\tSecure Hash Standard 2 (256 bit)\n"
              "\tauthentication method:\tPre-Shared Key\n"
              "\tDiffie-Hellman group:\t#14 (2048 bit)\n"
              "\tlifetime:\t\t86400 seconds, no volume limit\n"
              "Protection suite of priority 20\n"
              "\tencryption algorithm:\tThree key triple DES\n"
              "\thash algorithm:\t\tMessage Digest 5\n"
              "\tauthentication method:\tRivest-Shamir-Adleman Signature\n"
              "\tDiffie-Hellman group:\t#2 (1024 bit)\n"
              "\tlifetime:\t\t3600 seconds, no volume limit\n");
}

TEST(ShowIsakmpPolicy, PrintsTheBuiltInSuitesWhileNoneIsConfigured) {
    const std::string out = show_isakmp_default_policy(empty());
    EXPECT_THAT(out,
                StartsWith("\nDefault IKE policy\nDefault protection suite of priority 65507\n"));
    EXPECT_THAT(out,
                HasSubstr("Default protection suite of priority 65513\n"
                          "\tencryption algorithm:\tAES - Advanced Encryption Standard (256 bit "
                          "keys).\n"
                          "\thash algorithm:\t\tSecure Hash Standard 2 (256 bit)\n"
                          "\tauthentication method:\tPre-Shared Key\n"
                          "\tDiffie-Hellman group:\t#14 (2048 bit)\n"
                          "\tlifetime:\t\t86400 seconds, no volume limit\n"));
    EXPECT_EQ(show_isakmp_policy(empty()), out);
}

TEST(ShowIsakmpPolicy, SaysWhyTheBuiltInSuitesAreNotInUse) {
    EXPECT_EQ(show_isakmp_default_policy(snapshot_of(sample_config())),
              "\nDefault IKE policy\nNot in use: \"crypto isakmp policy\" is configured.\n");
    config::Config off;
    off.isakmp_default_policies = false;
    EXPECT_EQ(show_isakmp_policy(snapshot_of(off)),
              "\nDefault IKE policy\nSwitched off by \"no crypto isakmp default policy\".\n");
}

TEST(ShowIsakmpKey, NamesThePeersAndHidesTheKeys) {
    config::Config config = sample_config();
    config.isakmp_keys.push_back({Ipv4Prefix{}, secret("anybody")});
    const std::string out = show_isakmp_key(snapshot_of(config));
    EXPECT_EQ(out,
              "Keyring      Hostname/Address                            Preshared Key\n"
              "\n"
              "default      192.0.2.20                                  <hidden>\n"
              "default      0.0.0.0        [0.0.0.0        ]            <hidden>\n");
    EXPECT_THAT(out, Not(HasSubstr("swordfish")));
}

TEST(ShowIsakmpPeers, ListsEachPeerOnce) {
    Snapshot snapshot = sample();
    snapshot.isakmp.push_back(sample_isakmp()); // a rekey
    snapshot.isakmp.push_back(sample_isakmp());
    snapshot.isakmp.back().remote = {Ipv4Address{203, 0, 113, 9}, 4500};
    snapshot.isakmp.back().peer_identity = "";
    snapshot.isakmp.front().initiator_cookie = Cookie{0x0123456789abcdef};
    snapshot.isakmp.front().responder_cookie = Cookie{0xfedcba98};
    EXPECT_EQ(show_isakmp_peers(snapshot),
              "Peer: 192.0.2.20 Port: 500 Local: 192.0.2.1\n"
              " Phase1 id: 192.0.2.20\n"
              " SA 1003: cookies 0x0123456789ABCDEF (initiator) 0x00000000FEDCBA98 (responder)\n"
              " SA 1003: cookies 0x0000000000000000 (initiator) 0x0000000000000000 (responder)\n"
              "Peer: 203.0.113.9 Port: 4500 Local: 192.0.2.1\n"
              " Phase1 id: (none)\n"
              " SA 1003: cookies 0x0000000000000000 (initiator) 0x0000000000000000 (responder)\n");
}

TEST(ShowIsakmpPeers, SaysNothingAboutDeletedOnes) {
    Snapshot snapshot = sample();
    snapshot.isakmp.front().deleted = true;
    EXPECT_EQ(show_isakmp_peers(snapshot), "");
}

TEST(ShowIsakmpFailures, NamesEveryReasonWithItsCountAndMeaning) {
    Snapshot snapshot = sample();
    snapshot.ike_counters.failures[static_cast<std::size_t>(ike::Failure::PresharedKeyMismatch)] =
        3;
    const std::string out = show_isakmp_failures(snapshot);
    EXPECT_EQ(std::ranges::count(out, '\n'), 1 + static_cast<long>(ike::Failure::Count_));
    const std::string name = ike::to_string(ike::Failure::PresharedKeyMismatch);
    EXPECT_TRUE(std::regex_search(out, std::regex{name + " +3  pre-shared keys differ"})) << out;
}

TEST(ShowIsakmpFailures, AvoidsTheWordsThatToolsTakeForErrors) {
    const std::string out = show_isakmp_failures(sample());
    EXPECT_FALSE(std::regex_search(
        out,
        std::regex{"invalid input|incomplete command|ambiguous command|not found|bad mask|"
                   "connection timed out|% ?error",
                   std::regex::icase}))
        << out;
}

/// What readers of this row demand of it.
TEST(ShowIsakmpSa, RowsAreReadByPattern) {
    const std::string out = show_isakmp_sa(sample());
    std::smatch found;
    ASSERT_TRUE(
        std::regex_search(out, found, std::regex{R"(\n(\S+) +(\S+) +([A-Z_]+) +(\d+) +(\w+)\n)"}));
    EXPECT_EQ(found[1], "192.0.2.1");
    EXPECT_EQ(found[4], "1003");
}

} // namespace
} // namespace adit::cli

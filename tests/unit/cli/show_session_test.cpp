// SPDX-License-Identifier: Apache-2.0
#include "control/cli/show_session.h"
#include "tests/unit/cli/show_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace adit::cli {
namespace {

using namespace test;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kCodes = "Crypto session current status\n"
                               "\n"
                               "Code: C - IKE Configuration mode, D - Dead Peer Detection     \n"
                               "K - Keepalives, N - NAT-traversal, T - cTCP encapsulation     \n"
                               "X - IKE Extended Authentication, F - IKE Fragmentation\n"
                               "R - IKE Auto Reconnect\n"
                               "\n";

TEST(ShowSession, PrintsThePlainForm) {
    EXPECT_EQ(show_crypto_session(sample(), SessionForm::Plain),
              "Crypto session current status\n"
              "\n"
              "Interface: GigabitEthernet0/0\n"
              "Session status: UP-ACTIVE     \n"
              "Peer: 192.0.2.20 port 500 \n"
              "  Session ID: 0  \n"
              "  IKEv1 SA: local 192.0.2.1/500 remote 192.0.2.20/500 Active \n"
              "  IPSEC FLOW: permit ip 10.1.0.0/255.255.0.0 10.2.0.0/255.255.0.0 \n"
              "        Active SAs: 2, origin: crypto map\n"
              "\n");
}

TEST(ShowSession, PrintsTheDetail) {
    EXPECT_EQ(show_crypto_session(sample(), SessionForm::Detail),
              std::string{kCodes} +
                  "Interface: GigabitEthernet0/0\n"
                  "Uptime: 00:18:51\n"
                  "Session status: UP-ACTIVE     \n"
                  "Peer: 192.0.2.20 port 500 fvrf: (none) ivrf: (none)\n"
                  "      Phase1_id: 192.0.2.20\n"
                  "      Desc: (none)\n"
                  "  Session ID: 0  \n"
                  "  IKEv1 SA: local 192.0.2.1/500 remote 192.0.2.20/500 Active \n"
                  "          Capabilities:D connid:1003 lifetime:23:41:09\n"
                  "  IPSEC FLOW: permit ip 10.1.0.0/255.255.0.0 10.2.0.0/255.255.0.0 \n"
                  "        Active SAs: 2, origin: crypto map\n"
                  "        Inbound:  #pkts dec'ed 1198 drop 0 life (KB/Sec) 4607986/3212\n"
                  "        Outbound: #pkts enc'ed 1205 drop 0 life (KB/Sec) 4607986/3212\n"
                  "\n");
}

TEST(ShowSession, PrintsADownSessionWithItsFlow) {
    Snapshot snapshot = sample();
    snapshot.isakmp.clear();
    snapshot.flows.front().children.clear();
    snapshot.flows.front().counters = {};
    EXPECT_EQ(show_crypto_session(snapshot, SessionForm::Detail),
              std::string{kCodes} +
                  "Interface: GigabitEthernet0/0\n"
                  "Session status: DOWN          \n"
                  "Peer: 192.0.2.20 port 500 fvrf: (none) ivrf: (none)\n"
                  "      Desc: (none)\n"
                  "      Phase1_id: (none)\n"
                  "  Session ID: 0  \n"
                  "  IKEv1 SA: local 192.0.2.1/500 remote 192.0.2.20/500 Inactive \n"
                  "          Capabilities:(none) connid:0 lifetime:0\n"
                  "  IPSEC FLOW: permit ip 10.1.0.0/255.255.0.0 10.2.0.0/255.255.0.0 \n"
                  "        Active SAs: 0, origin: crypto map\n"
                  "        Inbound:  #pkts dec'ed 0 drop 0 life (KB/Sec) 0/0\n"
                  "        Outbound: #pkts enc'ed 0 drop 0 life (KB/Sec) 0/0\n"
                  "\n");
}

TEST(ShowSession, NamesEveryStatus) {
    const auto status = [](const Snapshot& snapshot) {
        return show_crypto_session(snapshot, SessionForm::Plain);
    };
    Snapshot snapshot = sample();
    snapshot.flows.front().children.clear();
    EXPECT_THAT(status(snapshot), HasSubstr("Session status: UP-IDLE       \n"));
    snapshot.isakmp.front().established = false;
    EXPECT_THAT(status(snapshot), HasSubstr("Session status: DOWN-NEGOTIATING\n"));
    snapshot.isakmp.front().deleted = true;
    EXPECT_THAT(status(snapshot), HasSubstr("Session status: DOWN          \n"));
    snapshot.flows.front().children = {sample_child()};
    EXPECT_THAT(status(snapshot), HasSubstr("Session status: UP-NO-IKE     \n"));
}

TEST(ShowSession, JoinsFlowsOfOnePeerAndSeparatesPeers) {
    Snapshot snapshot = sample();
    snapshot.flows.push_back(sample_flow());
    snapshot.flows.push_back(sample_flow());
    snapshot.flows.back().peer.address = Ipv4Address{203, 0, 113, 9};
    const std::string all = show_crypto_session(snapshot, SessionForm::Plain);
    EXPECT_THAT(all, HasSubstr("Peer: 192.0.2.20 port"));
    EXPECT_THAT(all, HasSubstr("Peer: 203.0.113.9 port"));
    EXPECT_EQ(all.find("Peer: 192.0.2.20"), all.rfind("Peer: 192.0.2.20"));
    const std::string one = show_crypto_session(snapshot, SessionForm::Plain, kPeer);
    EXPECT_THAT(one, Not(HasSubstr("203.0.113.9")));
}

TEST(ShowSession, ShowsAResponderWithoutFlow) {
    Snapshot snapshot = sample();
    snapshot.flows.clear();
    EXPECT_THAT(show_crypto_session(snapshot, SessionForm::Plain),
                HasSubstr("Interface: GigabitEthernet0/0\n"
                          "Session status: UP-IDLE       \n"
                          "Peer: 192.0.2.20 port 500 \n"));
}

TEST(ShowSession, WritesHostsProtocolsAndPorts) {
    Snapshot snapshot = sample();
    TrafficSelector& selector = snapshot.flows.front().flow.selector;
    selector.local = Ipv4Range::host(Ipv4Address{10, 1, 1, 4});
    selector.protocol = 47;
    EXPECT_THAT(show_crypto_session(snapshot, SessionForm::Plain),
                HasSubstr("IPSEC FLOW: permit 47 host 10.1.1.4 10.2.0.0/255.255.0.0 \n"));
    selector.protocol = 17;
    selector.local_port = {1701, 1701};
    EXPECT_THAT(show_crypto_session(snapshot, SessionForm::Plain),
                HasSubstr("permit 17 host 10.1.1.4 port 1701 10.2.0.0/255.255.0.0 \n"));
    selector = {};
    EXPECT_THAT(show_crypto_session(snapshot, SessionForm::Plain),
                HasSubstr("permit ip 0.0.0.0/0.0.0.0 0.0.0.0/0.0.0.0 \n"));
}

TEST(ShowSession, SaysWhenThereIsNoVolumeLimit) {
    Snapshot snapshot = sample();
    snapshot.flows.front().children.front().view.lifetime_kilobytes = 0;
    EXPECT_THAT(show_crypto_session(snapshot, SessionForm::Detail),
                HasSubstr("life (KB/Sec) KB Vol Rekey Disabled/3212\n"));
}

TEST(ShowSession, ShowsNatTraversal) {
    Snapshot snapshot = sample();
    snapshot.isakmp.front().nat_traversal = true;
    snapshot.isakmp.front().remote.port = 4500;
    snapshot.isakmp.front().local.port = 4500;
    const std::string out = show_crypto_session(snapshot, SessionForm::Detail);
    EXPECT_THAT(out, HasSubstr("Peer: 192.0.2.20 port 4500 fvrf"));
    EXPECT_THAT(out, HasSubstr("local 192.0.2.1/4500 remote 192.0.2.20/4500 Active"));
    EXPECT_THAT(out, HasSubstr("Capabilities:DN connid"));
}

TEST(ShowSession, NamesTheUserOfAClientAndWhatItWasGiven) {
    Snapshot snapshot = sample();
    snapshot.flows.clear();
    ike::IsakmpSaView& ann = snapshot.isakmp.front();
    ann.login = true;
    ann.user = "ann";
    ann.group = "staff";
    ann.assigned = Ipv4Address{10, 9, 0, 1};
    ike::IsakmpSaView bob = ann;
    bob.user = "bob";
    bob.assigned = Ipv4Address{10, 9, 0, 2};
    snapshot.isakmp.push_back(bob);
    const std::string out = show_crypto_session(snapshot, SessionForm::Detail);
    EXPECT_THAT(out,
                HasSubstr("Interface: GigabitEthernet0/0\n"
                          "Username: ann\n"
                          "Group: staff\n"
                          "Assigned address: 10.9.0.1\n"
                          "Uptime: "));
    EXPECT_THAT(out, HasSubstr("Username: bob\nGroup: staff\nAssigned address: 10.9.0.2\n"));
    EXPECT_THAT(out, HasSubstr("Capabilities:CDX connid"));
    EXPECT_THAT(show_crypto_session(snapshot, SessionForm::Brief),
                HasSubstr("192.0.2.20      Gi0/0        bob             staff "));
}

TEST(ShowSession, PrintsTheBriefForm) {
    Snapshot snapshot = sample();
    snapshot.flows.push_back(sample_flow());
    snapshot.flows.back().peer.address = Ipv4Address{203, 0, 113, 9};
    snapshot.flows.back().children.clear();
    EXPECT_EQ(
        show_crypto_session(snapshot, SessionForm::Brief),
        "Status: A- Active, U - Up, D - Down, I - Idle, S - Standby, N - Negotiating\n"
        "        K - No IKE\n"
        "ivrf = (none)\n"
        "Peer            I/F          Username        Group/Phase1_id          Uptime   Status\n"
        "192.0.2.20      Gi0/0                        192.0.2.20               00:18:51 UA\n"
        "203.0.113.9     Gi0/0                                                          D\n");
}

TEST(ShowSession, PrintsTheHeadingAloneWhenThereIsNothing) {
    EXPECT_EQ(show_crypto_session(empty(), SessionForm::Plain),
              "Crypto session current status\n\n");
    EXPECT_EQ(show_crypto_session(empty(), SessionForm::Detail), kCodes);
}

TEST(ShowSession, PrintsATunnelInterface) {
    Snapshot snapshot = sample();
    snapshot.flows.front().interface = "Tunnel10";
    snapshot.flows.front().flow.selector = {
        {Ipv4Address{0}, Ipv4Address{0xffffffff}},
        {Ipv4Address{0}, Ipv4Address{0xffffffff}},
    };
    EXPECT_EQ(show_crypto_session(snapshot, SessionForm::Plain),
              "Crypto session current status\n"
              "\n"
              "Interface: Tunnel10\n"
              "Session status: UP-ACTIVE     \n"
              "Peer: 192.0.2.20 port 500 \n"
              "  Session ID: 0  \n"
              "  IKEv1 SA: local 192.0.2.1/500 remote 192.0.2.20/500 Active \n"
              "  IPSEC FLOW: permit ip 0.0.0.0/0.0.0.0 0.0.0.0/0.0.0.0 \n"
              "        Active SAs: 2, origin: crypto map\n"
              "\n");
}

} // namespace
} // namespace adit::cli

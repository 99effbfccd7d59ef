// SPDX-License-Identifier: Apache-2.0
// Quick mode through a NAT, by the RFC and by the drafts in the field: encapsulation modes, NAT-OA,
// and whose address is whose.
#include "control/ike/message.h"
#include "control/ike/payload_id.h"
#include "control/ike/proposal.h"
#include "tests/support/ike_network.h"

#include <gtest/gtest.h>

namespace adit::ike {
namespace {

using test::Gateway;
using test::Network;
using namespace std::chrono_literals;

constexpr Ipv4Address kInside{10, 9, 0, 1};      // of the gateway behind the NAT
constexpr Ipv4Address kOutside{198, 51, 100, 7}; // what the NAT makes of it
constexpr Ipv4Address kPublic = test::kRight;

// First octets of the vendor ids that a peer of the drafts does not send.
constexpr std::uint8_t kRfc3947Id[] = {0x4a, 0x13, 0x1c, 0x81};
constexpr std::uint8_t kDraft03Id[] = {0x7d, 0x94, 0x19, 0xa6};

void spoil(Bytes& datagram, ByteView id) {
    const auto found = std::ranges::search(datagram, id);
    if (!found.empty())
        found.front() ^= 0xff;
}

/// One gateway behind a NAT, one in front; `speaks` says which NAT traversal survives the way.
class ThroughNat : public ::testing::Test {
  protected:
    enum class Mode : std::uint8_t { Tunnel, Transport };

    void connect(NatVersion speaks, Mode mode) {
        EngineConfig ours = test::gateway_config(kInside, kPublic, "10.1.0.0/16", "10.2.0.0/16");
        EngineConfig theirs = test::gateway_config(kPublic, kOutside, "10.2.0.0/16", "10.1.0.0/16");
        if (mode == Mode::Transport)
            for (EngineConfig* config : {&ours, &theirs}) {
                Connection& connection = config->connections.front();
                connection.transforms.front().transport = true;
                connection.flows.front().selector.local = Ipv4Range::host(connection.local);
                connection.flows.front().selector.remote =
                    Ipv4Range::host(connection.peers.front());
            }
        inside = &network.add("inside", kInside, ours, 1);
        outside = &network.add("outside", kPublic, theirs, 2);
        network.tap = [this, speaks](const SendDatagram& send) {
            Bytes payload = send.payload;
            if (speaks != NatVersion::Rfc3947 && !parse_header(payload)->encrypted()) {
                spoil(payload, kRfc3947Id);
                spoil(payload, kDraft03Id);
            }
            ports.push_back(send.remote.port);
            if (send.local.address == kInside)
                network.give_datagram(
                    *outside, {kOutside, send.local.port}, send.remote.port, payload);
            else
                network.give_datagram(*inside, send.local, send.remote.port, payload);
            return false;
        };
        network.give(*inside, test::initiate());
        network.run_for(3s);
    }

    void expect_pair(bool transport) const {
        ASSERT_EQ(inside->installed.size(), 2U);
        ASSERT_EQ(outside->installed.size(), 2U);
        for (const Gateway* gateway : {inside, outside}) {
            const ChildSaView child = gateway->engine.child_sas().front();
            EXPECT_TRUE(child.udp_encapsulated);
            EXPECT_EQ(child.transport, transport);
        }
        EXPECT_EQ(ports.back(), 4500);
    }

    static const test::InstalledSa& inbound_of(const Gateway& gateway) {
        return std::ranges::find_if(gateway.installed,
                                    [](const auto& sa) { return sa.second.inbound; })
            ->second;
    }

    Network network{41};
    Gateway* inside{nullptr};
    Gateway* outside{nullptr};
    std::vector<std::uint16_t> ports;
};

TEST_F(ThroughNat, TunnelModeOfTheRfc) {
    connect(NatVersion::Rfc3947, Mode::Tunnel);
    expect_pair(false);
}

TEST_F(ThroughNat, TunnelModeOfTheDrafts) {
    connect(NatVersion::Draft02, Mode::Tunnel);
    expect_pair(false);
}

TEST_F(ThroughNat, TransportModeOfTheRfcTellsBothOriginalAddresses) {
    connect(NatVersion::Rfc3947, Mode::Transport);
    expect_pair(true);
    // What arrives from inside was summed up over the address that the NAT replaced.
    EXPECT_EQ(inbound_of(*outside).original_remote, kInside);
    EXPECT_EQ(inbound_of(*outside).original_local, kPublic);
    EXPECT_EQ(inbound_of(*outside).selector.remote, Ipv4Range::host(kOutside));
    // What arrives inside was summed up over the address that the NAT shows.
    EXPECT_EQ(inbound_of(*inside).original_remote, kPublic);
    EXPECT_EQ(inbound_of(*inside).original_local, kOutside);
    EXPECT_EQ(inbound_of(*inside).selector.local, Ipv4Range::host(kInside));
}

TEST_F(ThroughNat, TransportModeOfTheDraftsTellsTheSendersAddress) {
    connect(NatVersion::Draft02, Mode::Transport);
    expect_pair(true);
    EXPECT_EQ(inbound_of(*outside).original_remote, kInside);
    EXPECT_EQ(inbound_of(*inside).original_remote, kPublic);
}

TEST_F(ThroughNat, TunnelModeNamesNoOriginals) {
    connect(NatVersion::Rfc3947, Mode::Tunnel);
    ASSERT_FALSE(outside->installed.empty());
    EXPECT_TRUE(inbound_of(*outside).original_remote.is_unspecified());
}

} // namespace
} // namespace adit::ike

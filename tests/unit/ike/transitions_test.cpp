// SPDX-License-Identifier: Apache-2.0
// The table of transitions: its drawing, and everything it must not allow.
#include "control/ike/message.h"
#include "control/ike/transitions.h"
#include "tests/support/ike_network.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace adit::ike {
namespace {

using namespace std::chrono_literals;

TEST(Transitions, DrawingIsUpToDate) {
    std::ifstream file{ADIT_STATES_DOT};
    std::ostringstream stored;
    stored << file.rdbuf();
    if (stored.str() == render_dot())
        return;
    const std::string drawn = ::testing::TempDir() + "ikev1-states.dot";
    std::ofstream{drawn} << render_dot();
    ADD_FAILURE() << "docs/ikev1-states.dot is out of date: replace it by " << drawn;
}

/// Counted by hand from RFC 2409 5.4, 5.5 and 5.7: which single payload types each state knows.
TEST(Transitions, NoRowForWhatTheStandardDoesNotSend) {
    constexpr std::array kExchanges = {ExchangeType::None,
                                       ExchangeType::Base,
                                       ExchangeType::IdentityProtection,
                                       ExchangeType::AuthenticationOnly,
                                       ExchangeType::Aggressive,
                                       ExchangeType::Informational,
                                       ExchangeType::Transaction,
                                       ExchangeType::QuickMode,
                                       ExchangeType::NewGroupMode};
    std::size_t allowed = 0;
    for (const ExchangeType exchange : kExchanges)
        for (const Role role : {Role::Initiator, Role::Responder})
            for (std::size_t state = 0; state < static_cast<std::size_t>(State::Count_); ++state)
                for (unsigned type = 0; type < 256; ++type) {
                    const PayloadSet present{
                        from_wire<PayloadType>(static_cast<std::uint8_t>(type))};
                    const Row* row = find_row(exchange,
                                              role,
                                              static_cast<State>(state),
                                              Happening::Received,
                                              Proof::Hash,
                                              present);
                    allowed += row != nullptr ? 1 : 0;
                }
    // SA alone: messages 1 and 2. NOTIFY alone in the clear: four states of the initiator. HASH
    // alone: message 3 of quick and of aggressive mode; an informational without content, either
    // role.
    EXPECT_EQ(allowed, 10U);
}

/// Each payload type, alone and behind a HASH, clear and marked encrypted, in each exchange, at
/// each moment of a real negotiation: refused, counted, and the negotiation ends well all the same.
TEST(Transitions, IntrudersChangeNothingAtAnyMoment) {
    constexpr std::array kExchanges = {ExchangeType::Base,
                                       ExchangeType::IdentityProtection,
                                       ExchangeType::Aggressive,
                                       ExchangeType::Informational,
                                       ExchangeType::Transaction,
                                       ExchangeType::QuickMode,
                                       ExchangeType::NewGroupMode};
    for (int moment = 1; moment <= 9; ++moment) {
        test::Network network{17};
        test::Gateway& a = network.add("left", test::kLeft, test::left_config(), 1);
        test::Gateway& b = network.add("right", test::kRight, test::right_config(), 2);
        int messages = 0;
        network.tap = [&](const SendDatagram& send) {
            if (++messages != moment)
                return true;
            Header header = *parse_header(send.payload);
            for (const ExchangeType exchange : kExchanges)
                for (unsigned type = 0; type < 256; ++type)
                    for (const std::uint8_t flags : {std::uint8_t{0}, kFlagEncryption}) {
                        const auto payload =
                            from_wire<PayloadType>(static_cast<std::uint8_t>(type));
                        // Alone in the clear these are evidence before keys exist, by design.
                        if (exchange == ExchangeType::Informational &&
                            payload == PayloadType::Notification)
                            continue;
                        header.exchange = exchange;
                        header.flags = flags;
                        header.message_id =
                            MessageId{exchange == ExchangeType::IdentityProtection ||
                                              exchange == ExchangeType::Aggressive
                                          ? 0U
                                          : 99U};
                        MessageBuilder message;
                        message.add(payload, Bytes(28, 0));
                        const Bytes intruder = message.clear(header);
                        network.give_datagram(a, {test::kRight, 500}, 500, intruder);
                        network.give_datagram(b, {test::kLeft, 500}, 500, intruder);
                    }
            return true;
        };
        network.give(a, test::initiate());
        network.run_for(3s);
        EXPECT_EQ(a.engine.child_sas().size(), 1U) << "intruders at message " << moment;
        EXPECT_EQ(b.engine.child_sas().size(), 1U) << "intruders at message " << moment;
        network.run_for(120s);
        EXPECT_EQ(b.engine.isakmp_sas().size(), 1U);
    }
}

} // namespace
} // namespace adit::ike

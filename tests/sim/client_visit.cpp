// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/client_visit.h"

#include "tests/sim/plan.h"

namespace adit::sim {

using namespace std::chrono_literals;
using A = ike::ConfigAttribute;

ClientVisit::ClientVisit(test::Network& network, test::Gateway& hub, Rng& dice)
    : network_(network), dice_(dice),
      client_(network, hub, {kClientAddress, ike::kIkePort}, kClientKey, {.seed = dice.u64() | 1}) {
}

bool ClientVisit::hear(const ike::SendDatagram& send) {
    if (send.remote != client_.endpoint())
        return false;
    client_.deliver(send.payload);
    return true;
}

void ClientVisit::come() {
    if (!client_.main_mode() || !log_in())
        return;
    bring_up(be_configured());
    if (!has_enough())
        client_.leave();
}

bool ClientVisit::log_in() {
    while (const auto question = client_.config()) {
        if (!question->has(A::XauthUserName)) { // the verdict
            if (!has_enough())
                client_.acknowledge(*question);
            return question->value(A::XauthStatus) == Bytes{0, 1};
        }
        if (has_enough())
            return false;
        client_.log_in(*question, kClientUser, dice_.below(2) == 0 ? kClientPassword : "forgotten");
        network_.run_for(ike::kLoginPause + 100ms);
    }
    return false;
}

Ipv4Address ClientVisit::be_configured() {
    Ipv4Address inner;
    // What is pushed may come before the answer or behind it.
    auto message = client_.request({A::InternalIp4Address, A::InternalIp4Dns});
    for (; message; message = client_.config()) {
        if (message->address() != Ipv4Address{})
            inner = message->address();
        if (message->message == ike::ConfigMessage::Set && !has_enough())
            client_.acknowledge(*message);
    }
    return inner;
}

void ClientVisit::bring_up(Ipv4Address inner) {
    if (inner == Ipv4Address{} || has_enough())
        return;
    const MessageId id = client_.quick_mode(inner);
    if (!has_enough())
        client_.finish_quick_mode(id);
}

} // namespace adit::sim

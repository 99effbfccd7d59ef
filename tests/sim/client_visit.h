// SPDX-License-Identifier: Apache-2.0
// A remote-access client that comes to the hub, logs in well or badly, is given an address and SAs
// for it, and goes when it likes: in the middle of any exchange, with or without a word.
//
// Threading: one thread.
#pragma once

#include "tests/support/ike_client.h"

namespace adit::sim {

class ClientVisit {
  public:
    ClientVisit(test::Network& network, test::Gateway& hub, Rng& dice);

    void come();

    /// For the network's tap: was this for the client?
    bool hear(const ike::SendDatagram& send);

  private:
    bool log_in();
    /// The address it is lent; none when it gets none.
    Ipv4Address be_configured();
    /// SAs for that address.
    void bring_up(Ipv4Address inner);

    [[nodiscard]] bool has_enough() { return dice_.below(6) == 0; }

    test::Network& network_;
    Rng& dice_;
    test::ScriptedClient client_;
};

} // namespace adit::sim

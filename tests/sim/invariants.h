// SPDX-License-Identifier: Apache-2.0
// What must hold, whatever happened. Each is a function that returns complaints: none when it
// holds.
//
// Threading: one thread.
#pragma once

#include "tests/sim/traffic.h"
#include "tests/support/ike_network.h"

#include <map>
#include <string>
#include <vector>

namespace adit::sim {

using Complaints = std::vector<std::string>;

/// Every key that was ever installed, and by whom.
class KeyLedger {
  public:
    void note(const test::Gateway& gateway, const ike::InstallSaAction& install);
    /// The dataplane did not take what was noted: the same gateway may ask for it again.
    void refused(const ike::InstallSaAction& install);

    /// No key is installed twice in one role, and its two ends are the two gateways that negotiated
    /// it: each names the other as its peer.
    [[nodiscard]] const Complaints& keys_belong_to_one_pair() const { return misused_; }

    /// Nobody may send by an SA that was never installed where it leads.
    [[nodiscard]] const Complaints& inbound_stands_first() const { return early_; }

  private:
    struct End {
        std::string gateway;
        Spi spi;
        PolicyId policy;
        TrafficSelector selector;
        bool refused{false};
    };

    std::map<Bytes, End> inbound_, outbound_;
    Complaints misused_, early_;
};

/// Watches pairs of each flow in calm.
class PairWatch {
  public:
    static constexpr std::size_t kMaxPairs = 2;
    static constexpr Duration kMaxTime = std::chrono::seconds{30};

    /// Once a second.
    void look(const test::Network& network);

    /// At most an old and a new pair of a flow for longer than kMaxTime.
    [[nodiscard]] const Complaints& pairs_stay_few() const { return complaints_; }

  private:
    std::map<std::pair<std::string, PolicyId>, Instant> crowded_since_;
    Complaints complaints_;
};

/// Pairs in use on one side are known on the other, with the same keys.
[[nodiscard]] Complaints sas_match(const test::Network& network);
/// Each direction of each flow carries all its packets.
[[nodiscard]] Complaints traffic_flows(const FlowCounts& counts);
/// After Shutdown: no session, half-open entry, SA, policy or timer.
[[nodiscard]] Complaints nothing_is_left(const test::Network& network);
/// After Shutdown: every SPI went back, and none of them twice.
[[nodiscard]] Complaints spis_are_released(const test::Network& network);

} // namespace adit::sim

// SPDX-License-Identifier: Apache-2.0
// The dataplanes of all gateways, as far as IKE can notice them: a packet of each flow, in both
// directions, every second or more often, and of each policy made at run time that has an SA. One
// without an SA asks for it; one that arrives is known by its SPI and opened by its key, or dropped
// and reported; silence is reported too.
//
// Threading: one thread.
#pragma once

#include "tests/support/ike_network.h"

#include <map>
#include <memory>
#include <string>
#include <utility>

namespace adit::sim {

struct FlowCount {
    std::uint64_t sent{0}, arrived{0};
};

/// Of each direction of each flow: who sends, and by which policy of its own.
using FlowCounts = std::map<std::pair<std::string, PolicyId>, FlowCount>;

class Traffic {
  public:
    /// `period`: from one packet of a flow to the next.
    explicit Traffic(test::Network& network, Duration period = std::chrono::seconds{1})
        : network_(network), period_(period) {}

    /// Packets flow, and dataplanes report, until stop().
    void start();

    void stop() { running_ = false; }

    /// A dataplane takes this SA.
    void note_install(const test::Gateway& gateway, const ike::InstallSaAction& install);

    /// Of the packets sent from here on...
    void begin_count() {
        counts_.clear();
        counting_ = true;
    }

    /// ... until here; those under way still count when they arrive.
    void end_count() { counting_ = false; }

    [[nodiscard]] const FlowCounts& counts() const { return counts_; }

    /// Packets that came by an SPI nobody knows (any more).
    [[nodiscard]] std::uint64_t unknown_spis() const { return unknown_spis_; }

    /// Packets that came to the right SPI with a key that does not open them.
    [[nodiscard]] std::uint64_t unopened() const { return unopened_; }

  private:
    /// What a dataplane keeps of an SA besides its keys.
    struct Record {
        Instant installed;
        Instant sent, received; // newest packet, in the time of its gateway
        Endpoint peer;          // UDP encapsulation: where packets come from
    };

    struct Packet {
        std::string sender;
        PolicyId policy;
        Spi spi;
        Bytes key, mac_key;
        bool counts{false};
    };

    void round();
    void send(test::Gateway& gateway, const std::string& connection, const ike::Flow& flow);
    void arrive(test::Gateway& to, Endpoint local, Endpoint remote, const Packet& packet);
    void look_for_silence(test::Gateway& gateway);
    [[nodiscard]] static bool has_far_end(const std::pair<const SaId, test::InstalledSa>& sa);
    Record& record(const test::Gateway& gateway, SaId sa);
    /// What new packets of a policy leave by: the newest outbound SA, as long as it is there.
    [[nodiscard]] const std::pair<const SaId, test::InstalledSa>*
    outbound(const test::Gateway& gateway, PolicyId policy) const;

    test::Network& network_;
    Duration period_;
    bool running_{false};
    bool counting_{false};
    FlowCounts counts_;
    std::uint64_t unknown_spis_{0};
    std::uint64_t unopened_{0};
    std::map<std::pair<const test::Gateway*, PolicyId>, SaId> newest_;
    std::map<std::tuple<const test::Gateway*, std::uint32_t, SaId>, Record> records_;
};

} // namespace adit::sim

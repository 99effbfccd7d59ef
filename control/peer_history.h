// SPDX-License-Identifier: Apache-2.0
// What happened with each peer, kept after its SAs are gone: the base of `show crypto isakmp
// history` and `show crypto diagnose`.
//
// Bounds: kMaxEvents of a peer. Peers of the configuration are always kept; of others, who may be
// anybody, the last kMaxStrangers about whom something was logged.
//
// Threading: control's loop.
#pragma once

#include "common/bytes.h"
#include "common/log.h"
#include "common/types.h"
#include "control/cli/peer_record.h"

#include <functional>
#include <list>
#include <map>
#include <unordered_map>
#include <vector>

namespace adit {

class PeerHistory {
  public:
    static constexpr std::size_t kMaxEvents = 32;
    static constexpr std::size_t kMaxStrangers = 1024;

    using IsConfigured = std::function<bool(Ipv4Address)>;

    explicit PeerHistory(IsConfigured is_configured) : is_configured_(std::move(is_configured)) {}

    void sent(Endpoint local, Ipv4Address peer, Instant now);
    void received(Endpoint local, Ipv4Address peer, ByteView datagram, Instant now);
    /// Takes what concerns a peer: causes of failures, sessions up and down.
    void logged(const LogRecord& record, Instant now);
    void note(Ipv4Address peer, const std::string& code, const std::string& text, Instant now);

    /// By address; of one peer none or one.
    [[nodiscard]] std::vector<cli::PeerRecord> records(std::optional<Ipv4Address> peer) const;

  private:
    struct Entry {
        cli::PeerRecord record;
        std::size_t last_datagram{0};           // its hash
        std::list<Ipv4Address>::iterator place; // among the strangers, unless configured
        bool stranger{false};
    };

    Entry* find(Ipv4Address peer);
    Entry& make(Ipv4Address peer);

    IsConfigured is_configured_;
    std::unordered_map<Ipv4Address, Entry> entries_;
    std::list<Ipv4Address> strangers_; // longest unheard of first
};

} // namespace adit

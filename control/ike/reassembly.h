// SPDX-License-Identifier: Apache-2.0
// Fragments that wait for the rest of their message. Everything here is fed by datagrams nobody has
// vouched for, so every quantity has an end: octets of one message, of one peer, of those the
// configuration does not name, of all; and no message waits longer than kReassemblyTime. Each
// fragment is copied once when it comes and once when the message is whole.
//
// Threading: belongs to its engine. Errors: Malformed for fragments that contradict those before
// them, Exhausted beyond a bound.
// Source: [MS-IKEE] 3.3.5.3.
#pragma once

#include "common/address.h"
#include "common/clock.h"
#include "control/ike/keymat.h"
#include "control/ike/payload_fragment.h"

#include <map>
#include <optional>
#include <set>
#include <unordered_map>

namespace adit::ike {

/// A message on its way. Whoever wants to put something in must know the cookies.
struct FragmentSource {
    Endpoint local, remote;
    CookiePair cookies;
    std::uint16_t id{};

    friend auto operator<=>(const FragmentSource&, const FragmentSource&) = default;
};

class Reassembly {
  public:
    /// A chain of five certificates with 4096-bit keys takes a third of it.
    static constexpr std::size_t kMaxMessageBytes = 32 * 1024;
    static constexpr std::size_t kMaxPeerBytes = 64 * 1024; // of one address
    static constexpr std::size_t kMaxBytes = 4 * 1024 * 1024;
    /// Addresses the configuration does not name leave this much for those it does.
    static constexpr std::size_t kMaxStrangersBytes = kMaxBytes / 2;
    /// What a message or a fragment costs beside its data: small ones must not come cheap.
    static constexpr std::size_t kMessageCost = 512;
    static constexpr std::size_t kFragmentCost = 128;
    /// From the first fragment on. A sender repeats itself sooner.
    static constexpr Duration kReassemblyTime = std::chrono::seconds{10};

    enum class From : std::uint8_t { Stranger, Configured };

    /// The whole message, once this fragment completes it. Of two fragments with one number the
    /// first counts, whatever the second holds.
    Result<std::optional<Bytes>>
    add(const FragmentSource& source, const Fragment& fragment, From from, Instant now);

    /// A message that has waited too long.
    struct Expired {
        Ipv4Address peer;
        std::size_t fragments{};
    };

    std::vector<Expired> expire(Instant now);
    [[nodiscard]] std::optional<Instant> next_deadline() const;

    [[nodiscard]] std::size_t bytes() const { return bytes_; }

    [[nodiscard]] std::size_t messages() const { return messages_.size(); }

  private:
    struct Partial {
        std::map<std::uint8_t, Bytes> pieces; // by number
        std::uint8_t last{0};                 // its number, once known
        std::size_t data_bytes{0};
        std::size_t cost{0};
        From from{};
        Instant deadline;
    };

    using Messages = std::map<FragmentSource, Partial>;

    Messages::iterator begin(const FragmentSource& source, From from, Instant now);
    [[nodiscard]] Status check_room(const FragmentSource& source, From from, std::size_t cost);
    void charge(const FragmentSource& source, Partial& partial, std::size_t cost);
    void forget(Messages::iterator message);

    Messages messages_;
    std::set<std::pair<Instant, FragmentSource>> by_deadline_;
    std::unordered_map<Ipv4Address, std::size_t> peer_bytes_;
    std::size_t bytes_{0};
    std::size_t strangers_bytes_{0};
};

} // namespace adit::ike

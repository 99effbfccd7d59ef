// SPDX-License-Identifier: Apache-2.0
// What peers protect that no line of the configuration says, while they do: the policies made at
// run time. A flow of a dynamic crypto map entry belongs to the identity that proved itself when it
// was claimed. Nobody else may claim anything that overlaps it: whoever could, would draw the
// traffic of a live tunnel to himself. A flow of a static entry, which is part of one of its lines,
// belongs to the peers that the entry names.
//
// A lease keeps a flow: each quick mode and each child SA of the flow holds one. With the last
// lease the flow ends, and its policy leaves the dataplane.
//
// Threading: belongs to its engine; no lease outlives it. Source: RFC 4301 4.4.1, 4.4.3.
#pragma once

#include "control/ike/interface.h"
#include "control/ike/payload_id.h"

#include <array>
#include <cstdint>
#include <expected>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace adit::ike {

/// Who has proved himself.
struct Claimant {
    Identity identity;
    std::optional<Ipv4Address> at; // where the identity alone does not tell him from others
    std::string user{};            // a client that logged in is this user and no identity

    friend bool operator==(const Claimant&, const Claimant&) = default;
};

/// "gw.example.com", "192.168.1.2 at 198.51.100.7", "user ann at 10.9.0.1".
std::string to_string(const Claimant& claimant);

struct RuntimeFlow : std::enable_shared_from_this<RuntimeFlow> {
    RuntimeFlow(PolicyId number,
                std::string entry,
                const TrafficSelector& what,
                std::optional<Claimant> who)
        : policy(number), connection(std::move(entry)), selector(what), claimant(std::move(who)) {}

    PolicyId policy;
    std::string connection; // the entry
    TrafficSelector selector;
    std::optional<Claimant> claimant; // none: a static entry, which says itself whose it is
    bool added{false};                // AddPolicyAction was given
};

using FlowLease = std::shared_ptr<RuntimeFlow>;

/// Of a dynamic entry: it is one peer's alone.
inline bool is_claimed(const FlowLease& lease) {
    return lease != nullptr && lease->claimant.has_value();
}

/// Some packet matches both.
bool overlap(const TrafficSelector& left, const TrafficSelector& right);
/// Each packet that matches `inner` matches `outer`.
bool covers(const TrafficSelector& outer, const TrafficSelector& inner);
/// Bits of freedom: of two selectors one of which covers the other the inner one has no more.
std::uint8_t breadth(const TrafficSelector& selector);

class RuntimeFlows {
  public:
    explicit RuntimeFlows(PolicyAllocator& policies) : policies_(policies) {}

    RuntimeFlows(const RuntimeFlows&) = delete;
    RuntimeFlows& operator=(const RuntimeFlows&) = delete;

    /// Why a claim came to nothing.
    struct Denied {
        const RuntimeFlow* holder{nullptr}; // null: no policy number is free
    };

    /// The claimant's live flow with this selector, or a new one.
    std::expected<FlowLease, Denied> claim(const std::string& connection,
                                           const TrafficSelector& selector,
                                           const std::optional<Claimant>& claimant);

    /// A flow as another engine of this gateway left it. Whoever asks for the same one shares it.
    FlowLease resume(const RuntimeFlow& flow);

    /// Numbers of flows that have ended since the last call and whose policies are in the
    /// dataplane.
    std::vector<PolicyId> take_ended();

    [[nodiscard]] std::size_t size() const { return count_; }

  private:
    FlowLease shelve(std::unique_ptr<RuntimeFlow> flow);
    void end(RuntimeFlow* flow);

    template <class Visit>
    void for_each_overlapping(const TrafficSelector& wanted, const Visit& visit) const;

    /// By the first remote address, apart by the bits of the range's width: what may reach into a
    /// range begins no further before it than its class is wide, so a look-up passes over few
    /// others.
    using Shelf = std::multimap<std::uint32_t, RuntimeFlow*>;
    static unsigned shelf_of(const TrafficSelector& selector);

    PolicyAllocator& policies_;
    std::array<Shelf, 33> shelves_;
    std::size_t count_{0};
    std::vector<PolicyId> ended_;
};

} // namespace adit::ike

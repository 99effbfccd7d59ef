// SPDX-License-Identifier: Apache-2.0
// The inside of the diagnosis; only diagnosis*.cpp include it. A rule looks at one case and finds
// its cause or nothing. diagnosis.cpp puts the rules in order, diagnosis_attempts.cpp has those
// about negotiations, diagnosis_traffic.cpp those about tunnels that are up.
//
// Threading: pure functions.
#pragma once

#include "control/cli/diagnosis.h"
#include "control/config/problem.h"

#include <algorithm>
#include <initializer_list>
#include <string_view>

namespace adit::cli {

/// What happened longer ago does not explain now.
inline constexpr Duration kRecent = std::chrono::minutes{10};
/// Of packets that stay without an answer, so many are no accident.
inline constexpr std::uint64_t kEnough = 3;

/// One entry with one peer: all its flows.
struct Case {
    const Snapshot& snapshot;
    const std::vector<config::Problem>& problems; // of the configuration
    std::vector<const FlowStatus*> flows;
    const PeerRecord* record{nullptr};
    const ike::IsakmpSaView* isakmp{nullptr}; // the newest with the peer

    [[nodiscard]] const FlowStatus& flow() const { return *flows.front(); }

    [[nodiscard]] bool has_sas() const {
        return std::ranges::any_of(flows, [](const FlowStatus* flow) {
            return std::ranges::any_of(flow->children,
                                       [](const ChildSa& child) { return child.view.current; });
        });
    }

    [[nodiscard]] bool is_recent(Instant at) const { return snapshot.now - at < kRecent; }
};

using Finding = std::optional<Diagnosis>;

Diagnosis finding(Condition condition, const char* code, Confidence confidence, std::string cause);
/// As evidence; time and number of tries follow from it.
void add_event(Diagnosis& to, const PeerEvent& event);
/// The newest of these codes that may explain now.
const PeerEvent* newest(const Case& of, std::span<const std::string_view> codes);
const PeerEvent* newest(const Case& of, std::initializer_list<std::string_view> codes);

// diagnosis_attempts.cpp
Finding one_way_4500(const Case& of);
Finding refusal(const Case& of);
Finding one_way_500(const Case& of);
Finding no_reply(const Case& of);
Finding no_answer_to_quick_mode(const Case& of);
Finding stale_sa(const Case& of);
Finding clear_text_instead(const Case& of);
Finding nothing_asked(const Case& of);
Finding in_progress(const Case& of);

// diagnosis_traffic.cpp
Finding nothing_comes_back(const Case& of);
Finding nothing_goes_out(const Case& of);
Finding packet_trouble(const Case& of);
Finding well(const Case& of);

} // namespace adit::cli

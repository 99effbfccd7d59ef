// SPDX-License-Identifier: Apache-2.0
#include "control/cli/diagnosis_rules.h"
#include "control/cli/show_text.h"

#include <array>

namespace adit::cli {

using std::chrono::seconds;

namespace {

/// A host that is asked answers sooner, and who asks goes on asking.
constexpr Duration kLongSilence = seconds{5};
constexpr Duration kStillSending = seconds{10};

// -------------------------------------------------------------------------------------

/// Of all current SAs.
struct Passed {
    std::uint64_t in{}, out{};
    std::optional<Instant> made;
    std::optional<Instant> last_in, last_out;

    /// Nothing ever came in, or nothing any longer while packets keep going out.
    [[nodiscard]] bool is_one_way(Instant now) const {
        if (in == 0)
            return out >= kEnough;
        return last_in && last_out && now - *last_out < kStillSending &&
               *last_out - *last_in > kLongSilence;
    }
};

Passed passed(const Case& of) {
    Passed sum;
    for (const FlowStatus* flow : of.flows)
        for (const ChildSa& child : flow->children) {
            if (!child.view.current)
                continue;
            sum.in += child.inbound.packets;
            sum.out += child.outbound.packets;
            sum.last_in = std::max(sum.last_in, child.inbound.last_packet);
            sum.last_out = std::max(sum.last_out, child.outbound.last_packet);
            sum.made = std::max(sum.made, std::optional{child.view.established_at});
        }
    return sum;
}

/// Events of the time since the tunnel came up.
const PeerEvent* since_up(const Case& of, std::string_view code) {
    const Passed sum = passed(of);
    if (of.record == nullptr || !sum.made)
        return nullptr;
    const auto& events = of.record->events;
    const auto found = std::ranges::find_if(events, [&](const PeerEvent& event) {
        return event.code == code && event.last > *sum.made && of.is_recent(event.last);
    });
    return found == events.end() ? nullptr : &*found;
}

std::string counts(const Passed& sum) {
    return text("%llu packets went out by these SAs, %llu came in",
                static_cast<unsigned long long>(sum.out),
                static_cast<unsigned long long>(sum.in));
}

} // namespace

Finding nothing_comes_back(const Case& of) {
    const Passed sum = passed(of);
    if (!sum.is_one_way(of.snapshot.now))
        return std::nullopt;
    Diagnosis found = finding(Condition::Degraded,
                              "esp-blocked",
                              sum.in == 0 ? Confidence::Likely : Confidence::Possible,
                              "ESP is filtered on the way or on the way back, while IKE passes");
    found.alternatives = "the other end has nothing to send back: a route or a host there, or "
                         "traffic that wants no answer";
    found.evidence.push_back({sum.made, counts(sum)});
    if (sum.last_in)
        found.evidence.push_back({sum.last_in, "the last packet that came in"});
    found.since = sum.last_in ? sum.last_in : sum.made;
    if (const PeerEvent* event = since_up(of, "invalid-spi")) {
        found.code = "stale-sa";
        found.cause = "the peer sends by SAs that we do not have";
        found.alternatives.clear();
        add_event(found, *event);
        found.next = "clear crypto sa peer " + to_string(of.flow().peer.address);
        return found;
    }
    const bool encapsulated = of.flow().peer.port == 4500;
    found.next = encapsulated
                     ? "permit UDP 4500 both ways; see there whether its decaps counter rises"
                     : "permit IP protocol 50 both ways; see there whether its decaps "
                       "counter rises";
    return found;
}

Finding nothing_goes_out(const Case& of) {
    const Passed sum = passed(of);
    if (sum.in < kEnough || sum.out > 0)
        return std::nullopt;
    Diagnosis found = finding(Condition::Degraded,
                              "no-return",
                              Confidence::Likely,
                              "packets come in and none goes back: a route or a host on our side");
    found.evidence.push_back({sum.made, counts(sum)});
    found.since = sum.made;
    found.next = "ping the host from here; look at its route back and at show ip route";
    return found;
}

namespace {

struct PacketTrouble {
    const char* code;
    const char* cause;
    const char* next;
};

constexpr std::array kPacketTroubles = {
    PacketTrouble{"clear-text",
                  "the other end sends part of this traffic unprotected; it is dropped here",
                  "compare the access lists: theirs covers less than ours"},
    PacketTrouble{"selector",
                  "packets in the tunnel lie outside what was agreed for it",
                  "compare the access lists of both ends"},
    PacketTrouble{"icv",
                  "packets arrive damaged, or under another key",
                  "clear crypto sa, and look for a device that changes packets"},
    PacketTrouble{"replay",
                  "packets arrive twice, or too late for the replay window",
                  "crypto ipsec security-association replay window-size 1024"},
};

} // namespace

Finding packet_trouble(const Case& of) {
    for (const PacketTrouble& trouble : kPacketTroubles)
        if (const PeerEvent* event = since_up(of, trouble.code)) {
            Diagnosis found =
                finding(Condition::Degraded, trouble.code, Confidence::Certain, trouble.cause);
            add_event(found, *event);
            found.next = trouble.next;
            return found;
        }
    return std::nullopt;
}

Finding well(const Case& of) {
    const Passed sum = passed(of);
    Diagnosis found = finding(Condition::Up, "none", Confidence::Certain, "nothing is wrong");
    found.evidence.push_back({sum.made, counts(sum)});
    found.since = sum.made;
    return found;
}

} // namespace adit::cli

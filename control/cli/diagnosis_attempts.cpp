// SPDX-License-Identifier: Apache-2.0
#include "control/cli/diagnosis_rules.h"
#include "control/cli/show_text.h"

#include <array>

namespace adit::cli {

namespace {

// --- answers that refuse -------------------------------------------------------------------------

struct Refusal {
    std::string_view code;
    Confidence confidence;
    const char* cause;
    const char* alternatives;
};

/// Codes that the engine itself decides.
constexpr std::array kRefusals = {
    Refusal{"p1-policy",
            Confidence::Certain,
            "no ISAKMP policy of ours is among what the peer offers",
            ""},
    Refusal{"p1-notify",
            Confidence::Likely,
            "the peer refuses every ISAKMP policy that we offer",
            "a forged refusal: it came unauthenticated"},
    Refusal{"psk-mismatch",
            Confidence::Likely,
            "the pre-shared keys differ",
            "damaged messages, if it does not happen every time"},
    Refusal{"p1-identity",
            Confidence::Certain,
            "the peer calls itself other than our configuration expects",
            ""},
    Refusal{"cert", Confidence::Certain, "a certificate is refused", ""},
    Refusal{"p2-transform",
            Confidence::Certain,
            "the transform sets, the mode or the PFS groups have nothing in common",
            ""},
    Refusal{"p2-proxy",
            Confidence::Certain,
            "the two ends protect different traffic: their access lists are no mirror images",
            ""},
    Refusal{"login", Confidence::Certain, "the client's login is refused", ""},
    Refusal{"pool", Confidence::Certain, "there is no address to lend to the client", ""},
    Refusal{"bad-key-exchange", Confidence::Likely, "the peer's public value is refused", ""},
    Refusal{"install-refused", Confidence::Certain, "our dataplane did not take the SAs", ""},
    Refusal{
        "overload", Confidence::Certain, "too many negotiations at once: this one was put off", ""},
};

constexpr auto kRefusalCodes = [] {
    std::array<std::string_view, kRefusals.size()> codes;
    std::ranges::transform(kRefusals, codes.begin(), &Refusal::code);
    return codes;
}();

/// Message 5 goes to port 4500. Nothing came from there, and port 500 works: either nothing gets
/// through, or the peer drops what it cannot decrypt.
bool floated_into_silence(const Case& of) {
    const PeerRecord& record = *of.record;
    return record.floated.unanswered >= kEnough && record.floated.first_unanswered &&
           (!record.floated.last_received || !record.plain.last_received ||
            *record.floated.last_received < *record.plain.last_received);
}

} // namespace

Finding one_way_4500(const Case& of) {
    if (of.record == nullptr || !floated_into_silence(of))
        return std::nullopt;
    const PeerEvent* event = newest(of, {"psk-mismatch", "cert", "no-reply"});
    if (event != nullptr && event->text.contains("answered by"))
        return std::nullopt;
    Diagnosis found = finding(Condition::Down,
                              "one-way-4500",
                              Confidence::Likely,
                              "UDP port 4500 is filtered on the way, or the way back");
    found.alternatives = "the keys or certificates differ and the peer says nothing about it";
    found.since = of.record->floated.first_unanswered;
    found.latest = of.record->floated.first_unanswered;
    found.evidence.push_back(
        {of.record->floated.first_unanswered,
         text("%llu messages to port 4500 without an answer",
              static_cast<unsigned long long>(of.record->floated.unanswered))});
    found.evidence.push_back({of.record->plain.last_received, "the last answer came to port 500"});
    if (event != nullptr)
        add_event(found, *event);
    found.next = "permit UDP 4500 both ways on every firewall between the two, then: test crypto "
                 "peer " +
                 to_string(of.flow().peer.address) + " initiate";
    return found;
}

/// The newest answer decides: what was refused before may be mended.
Finding refusal(const Case& of) {
    const PeerEvent* event = newest(of, kRefusalCodes);
    if (event == nullptr)
        return std::nullopt;
    const auto* known = std::ranges::find(kRefusals, std::string_view{event->code}, &Refusal::code);
    Diagnosis found =
        finding(Condition::Down, event->code.c_str(), known->confidence, known->cause);
    found.alternatives = known->alternatives;
    add_event(found, *event);
    return found;
}

// --- silence -------------------------------------------------------------------------------------

/// Its first message again and again, although we answer: our answers do not arrive.
Finding one_way_500(const Case& of) {
    if (of.record == nullptr || of.record->repeats < 2 || !of.record->last_repeat ||
        !of.is_recent(*of.record->last_repeat))
        return std::nullopt;
    if (of.isakmp != nullptr && of.isakmp->established)
        return std::nullopt;
    const bool floated = of.record->floated.last_received == of.record->last_heard();
    Diagnosis found = finding(Condition::Down,
                              floated ? "one-way-4500" : "one-way-500",
                              Confidence::Likely,
                              floated ? "our answers from UDP port 4500 do not reach the peer"
                                      : "our answers from UDP port 500 do not reach the peer");
    found.alternatives = "the peer drops them, as it does not expect this address or these offers";
    found.evidence.push_back(
        {of.record->last_repeat,
         text("the peer repeats one message, %u times so far, although it is answered",
              of.record->repeats)});
    found.latest = of.record->last_repeat;
    found.next = std::string{"permit UDP "} + (floated ? "4500" : "500") +
                 " from here to the peer on every firewall between the two";
    return found;
}

namespace {

const char* arp_words(const Case& of) {
    const auto entry =
        std::ranges::find(of.snapshot.arp, of.flow().peer.address, &ArpStatus::address);
    if (entry != of.snapshot.arp.end() && entry->state != ipc::NeighborState::Reachable)
        return "the peer does not answer ARP";
    return nullptr;
}

} // namespace

/// We ask and ask.
Finding no_reply(const Case& of) {
    const PeerEvent* event = newest(of, {"no-reply"});
    const bool asking = of.record != nullptr && of.record->plain.unanswered >= kEnough &&
                        of.is_recent(*of.record->plain.first_unanswered);
    if (event == nullptr && !asking)
        return std::nullopt;
    Diagnosis found = finding(Condition::Down,
                              "no-reply",
                              Confidence::Likely,
                              "the peer does not answer at all: it is down, or UDP port 500 is "
                              "filtered");
    found.alternatives = "the peer ignores us, as it has no entry for our address";
    if (const char* words = arp_words(of)) {
        found.confidence = Confidence::Certain;
        found.cause = "the peer is not there: it is down, or the cable is";
        found.alternatives.clear();
        found.evidence.push_back({{}, words});
    }
    if (asking)
        found.evidence.push_back(
            {of.record->plain.first_unanswered,
             text("%llu messages to port 500 without an answer",
                  static_cast<unsigned long long>(of.record->plain.unanswered))});
    if (of.record != nullptr && of.record->last_heard())
        found.evidence.push_back({of.record->last_heard(), "the last IKE message from the peer"});
    if (event != nullptr)
        add_event(found, *event);
    else
        found.since = of.record->plain.first_unanswered;
    if (asking)
        found.latest = std::max(found.latest, of.record->plain.first_unanswered);
    found.next = "ping the peer, and look there whether our messages arrive";
    return found;
}

namespace {

/// What one event of the peer's history says.
Finding told_by(const PeerEvent* event, const char* code, const char* cause, const char* next) {
    if (event == nullptr)
        return std::nullopt;
    Diagnosis found = finding(Condition::Down, code, Confidence::Likely, cause);
    add_event(found, *event);
    found.next = next;
    return found;
}

} // namespace

Finding no_answer_to_quick_mode(const Case& of) {
    return told_by(newest(of, {"p2-no-answer"}),
                   "p2-no-answer",
                   "phase 1 is up, and the peer does not answer quick mode: it refuses silently, "
                   "or has lost phase 1",
                   "look at the peer's log: transform sets, PFS and access lists");
}

Finding stale_sa(const Case& of) {
    const PeerEvent* event = newest(of, {"invalid-spi", "stale-sa"});
    // A delete or a DPD request may well cross with a delete of ours.
    if (event != nullptr && event->text.starts_with("Informational"))
        return std::nullopt;
    return told_by(event,
                   "stale-sa",
                   "the peer still uses SAs that we do not have: one of the two was restarted",
                   "clear them there, or here: crypto isakmp invalid-spi-recovery");
}

Finding clear_text_instead(const Case& of) {
    Finding found =
        told_by(newest(of, {"clear-text"}),
                "clear-text",
                "the other end sends this traffic unprotected; it is dropped here",
                "look there whether the crypto map is on the interface and its access list covers "
                "this traffic");
    if (found)
        found->alternatives = "somebody between the two sends it";
    return found;
}

Finding nothing_asked(const Case& of) {
    std::uint64_t matches = 0;
    for (const FlowStatus* flow : of.flows)
        matches += flow->counters.matches;
    if (matches > 0 || of.isakmp != nullptr)
        return std::nullopt;
    Diagnosis found =
        finding(Condition::Idle, "no-traffic", Confidence::Certain, "no packet asked for it yet");
    found.evidence.push_back({{}, "the access list has no matches"});
    found.next = "send a packet that it covers, or: test crypto peer " +
                 to_string(of.flow().peer.address) + " initiate";
    return found;
}

Finding in_progress(const Case& of) {
    Diagnosis found = finding(Condition::Down,
                              of.isakmp != nullptr ? "negotiating" : "unknown",
                              Confidence::Possible,
                              of.isakmp != nullptr ? "a negotiation is under way"
                                                   : "no attempt of the last minutes is known");
    if (of.isakmp != nullptr)
        found.evidence.push_back({of.isakmp->created, "ISAKMP SA in state " + of.isakmp->state});
    found.next =
        "test crypto peer " + to_string(of.flow().peer.address) + " initiate, then ask again";
    return found;
}

} // namespace adit::cli

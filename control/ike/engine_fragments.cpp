// SPDX-License-Identifier: Apache-2.0
#include "control/ike/engine_core.h"

namespace adit::ike {

namespace {

/// Nothing else begins without the responder's cookie.
bool may_begin(const Header& header) {
    return header.cookies.responder.value == 0 && is_phase1(header.exchange);
}

std::string describe(const Fragment& fragment) {
    return "fragment " + std::to_string(fragment.number) + (fragment.last ? " (last)" : "") +
           " of message " + std::to_string(fragment.id);
}

} // namespace

/// Keeps a fragment, or goes on with the message that it completes. Who is nobody here leaves
/// nothing: the cookies must be those of a session. A first message has no session yet, and its
/// sender cannot have heard that we know fragments; some are set to send them all the same, and of
/// peers the configuration names they are taken.
void Engine::Core::collect_fragment(const Header& header, DatagramReceived& event) {
    ++counters_.fragments_in;
    if (!config_->fragmentation_mtu)
        return refuse_stranger(
            Failure::FragmentRefused, event, "crypto isakmp fragmentation is switched off");
    const auto fragment = parse_fragment(event.payload);
    if (!fragment)
        return refuse_stranger(Failure::Malformed, event, fragment.error().text);
    const auto session =
        sessions_.find(header, event.local, event.remote, digest_of(event.payload));
    const bool configured = is_configured(event.remote.address);
    if (!session && !(configured && may_begin(header)))
        return refuse_stranger(
            Failure::UnknownCookies, event, describe(*fragment) + " with cookies of no SA");
    if (debug_)
        actions_.emplace_back(Debug{event.remote.address,
                                    header.cookies.initiator,
                                    "ISAKMP:(0):received " + describe(*fragment)});
    auto whole =
        fragments_.add({event.local, event.remote, header.cookies, fragment->id},
                       *fragment,
                       configured || (session && session->secured) ? Reassembly::From::Configured
                                                                   : Reassembly::From::Stranger,
                       now_);
    if (!whole)
        return refuse_stranger(Failure::FragmentRefused, event, whole.error().text);
    if (!*whole)
        return;
    ++counters_.reassembled;
    event.payload = std::move(**whole);
    const auto inner = parse_header(event.payload);
    if (!inner)
        return refuse_stranger(
            Failure::Malformed, event, "message of fragments: " + inner.error().text);
    if (inner->cookies != header.cookies || inner->next_payload == PayloadType::Fragment)
        return refuse_stranger(Failure::FragmentRefused,
                               event,
                               "what the fragments make is not a message of their exchange");
    receive(*inner, event);
}

void Engine::Core::expire_fragments() {
    for (const Reassembly::Expired& expired : fragments_.expire(now_))
        log_failure(Failure::FragmentRefused,
                    expired.peer,
                    "message incomplete, " + std::to_string(expired.fragments) +
                        " of its fragments came");
}

} // namespace adit::ike

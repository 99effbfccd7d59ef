// SPDX-License-Identifier: Apache-2.0
#include "control/ike/step.h"

#include "control/ike/payload_notify.h"

namespace adit::ike {

namespace {

Bytes sequence_octets(std::uint32_t sequence) {
    Writer writer;
    writer.u32(sequence);
    return std::move(writer).take();
}

/// Without `crypto isakmp keepalive` a peer is asked only when it leaves an exchange unanswered.
constexpr Duration kUnconfiguredRetry = std::chrono::seconds{3};

void send_dpd(Turn& turn, NotifyType type, std::uint32_t sequence) {
    send_notify(turn,
                {ProtocolId::Isakmp,
                 type,
                 cookies_as_spi(turn.session.cookies),
                 sequence_octets(sequence)});
}

/// As the peer's profile says, else as for everybody.
const std::optional<Dpd>& dpd_of(const Turn& turn) {
    const IsakmpProfile* profile = find_profile(turn.env.config, turn.session.profile);
    return profile != nullptr && profile->dpd ? profile->dpd : turn.env.config.dpd;
}

Duration retry_of(const Turn& turn) {
    const auto& config = dpd_of(turn);
    return config ? config->retry : kUnconfiguredRetry;
}

void ask(Turn& turn) {
    DpdState& dpd = turn.session.dpd;
    ++dpd.tries;
    ++turn.env.counters.dpd_sent;
    dpd.due = turn.now() + retry_of(turn);
    send_dpd(turn, NotifyType::RUThere, dpd.sequence);
}

void answer(Turn& turn, std::uint32_t sequence) {
    ++turn.env.counters.dpd_answered;
    send_dpd(turn, NotifyType::RUThereAck, sequence);
}

} // namespace

void schedule_dpd(Turn& turn) {
    Session& session = turn.session;
    const auto& config = dpd_of(turn);
    session.dpd.tries = 0;
    session.dpd.due.reset();
    if (config && config->periodic && session.has(Vendor::Dpd))
        session.dpd.due = turn.now() + config->interval;
}

void start_dpd(Turn& turn) {
    DpdState& dpd = turn.session.dpd;
    if (!turn.session.has(Vendor::Dpd) || dpd.tries != 0)
        return;
    // RFC 3706 5.5: sequence numbers start at random and count up; the first is below 2^31.
    dpd.sequence = dpd.sequence == 0 ? turn.env.rng.u32() >> 1 | 1 : dpd.sequence + 1;
    ask(turn);
}

void repeat_dpd(Turn& turn) {
    DpdState& dpd = turn.session.dpd;
    dpd.due.reset();
    if (dpd.tries == 0) {
        if (dpd_of(turn))
            start_dpd(turn);
        return;
    }
    if (dpd.tries < kDpdTries)
        return ask(turn);
    report(turn,
           {Failure::DeadPeer,
            std::to_string(kDpdTries) + " DPD requests " +
                std::to_string(
                    std::chrono::duration_cast<std::chrono::seconds>(retry_of(turn)).count()) +
                " s apart without an answer"});
    turn.out.emplace_back(PeerDead{});
    end_phase1(turn, Failure::DeadPeer);
}

Verdict accept_dpd(Turn& turn, const Notification& notification) {
    DpdState& dpd = turn.session.dpd;
    if (notification.data.size() != sizeof(std::uint32_t) ||
        cookies_of_spi(notification.spi) != turn.session.cookies)
        return refuse({Failure::Malformed, "DPD message for other cookies or without sequence"});
    const auto sequence = load_be<std::uint32_t>(notification.data.data());
    if (notification.type == NotifyType::RUThere) {
        // RFC 3706 6: an old sequence number is a replay. Peers that start over are let through
        // when they jump far back.
        constexpr std::uint32_t kReplayed = 16;
        const std::uint32_t behind = dpd.peer_sequence - sequence;
        if (dpd.peer_sequence != 0 && behind != 0 && behind < kReplayed)
            return refuse({Failure::UnexpectedMessage, "DPD sequence number seen before"});
        // Fresh and authentic: a NAT that chose another port is followed.
        if (behind != 0 && turn.session.floated())
            turn.session.remote.port = turn.from_remote.port;
        dpd.peer_sequence = sequence;
        answer(turn, sequence);
        return {};
    }
    if (dpd.tries != 0 && sequence == dpd.sequence)
        schedule_dpd(turn);
    return {};
}

} // namespace adit::ike

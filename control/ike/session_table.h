// SPDX-License-Identifier: Apache-2.0
// All sessions of an engine, found by what a datagram shows (cookies and addresses), by peer, by
// the Diffie-Hellman job they wait for, and by whose timer is next. Those that wait for message 3
// of main mode are kept small (half_open.h): they are found by cookies and ids, and only whole ones
// by anything else.
//
// Threading: belongs to its engine.
#pragma once

#include "control/ike/half_open.h"
#include "control/ike/state.h"
#include "control/ike/wire.h"

#include <array>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

namespace adit::ike {

class SessionTable {
  public:
    /// What is known of a session without taking it out.
    struct Glimpse {
        SessionId id;
        State state{};
        bool secured{false};
    };

    /// The session a datagram belongs to: both cookies and both addresses must be its own (or the
    /// responder cookie still unknown). Nothing when there is none; a first message is looked up by
    /// its digest, so that a copy finds the session it has made and nobody else's cookie does.
    [[nodiscard]] std::optional<Glimpse>
    find(const Header& header, Endpoint local, Endpoint remote, Digest digest) const;
    [[nodiscard]] bool contains(SessionId id) const;
    /// A whole one.
    [[nodiscard]] Session* find(SessionId id);
    [[nodiscard]] Session* find_job(JobId job);
    [[nodiscard]] Session* find_cookies(CookiePair cookies, Ipv4Address peer);

    /// With this peer address, oldest first.
    [[nodiscard]] std::vector<Session*> with_peer(Ipv4Address peer);

    /// Takes it in; its id must be new.
    void insert(Session session);
    /// Takes it out for a step; insert() brings it back.
    [[nodiscard]] Session take(SessionId id);

    /// Sessions whose deadline has come, as they stand now.
    [[nodiscard]] std::vector<SessionId> due(Instant now) const;
    [[nodiscard]] std::optional<Instant> next_deadline() const;

    [[nodiscard]] std::vector<SessionId> ids() const;

    [[nodiscard]] std::size_t half_open() const {
        return half_open_ + waiting_[0].size() + waiting_[1].size();
    }

    /// Exchanges in which nothing but a first message has come, by whether a crypto map names the
    /// address it claims to be from.
    [[nodiscard]] std::size_t unanswered(bool configured) const {
        return unanswered_[side(configured)].size() + waiting_[side(configured)].size();
    }

    /// There must be one.
    [[nodiscard]] SessionId oldest_unanswered(bool configured) const;

    /// Those of first messages of aggressive mode.
    [[nodiscard]] std::size_t first_jobs() const { return first_jobs_; }

    /// Diffie-Hellman jobs waited for.
    [[nodiscard]] std::size_t jobs() const { return by_job_.size(); }

    /// From now on take_changed() tells which of those that have keys were put in or taken out
    /// since the last call.
    void watch_changes() { watched_ = true; }

    [[nodiscard]] std::set<SessionId> take_changed() { return std::exchange(changed_, {}); }

    /// Of those kept small a copy is shown.
    template <class Visit> void for_each(const Visit& visit) const {
        for (const auto& [id, entry] : sessions_)
            visit(entry.session);
        for (const Waiting& waiting : waiting_)
            for (const auto& [id, small] : waiting)
                visit(std::as_const(small).session(id));
    }

  private:
    struct Entry {
        Session session;
        std::optional<Instant> deadline; // as indexed
    };

    struct CookieHash {
        std::size_t operator()(const std::pair<Cookie, Ipv4Address>& key) const noexcept {
            return std::hash<std::uint64_t>{}(key.first.value ^
                                              (std::uint64_t{key.second.value} << 17));
        }
    };

    using Waiting = std::map<SessionId, HalfOpen>; // the oldest first, whose time comes first

    static std::size_t side(bool configured) { return configured ? 1 : 0; }

    [[nodiscard]] const HalfOpen* find_waiting(SessionId id) const;

    std::map<SessionId, Entry> sessions_;
    std::array<Waiting, 2> waiting_; // by whether a crypto map names the address
    std::unordered_multimap<std::pair<Cookie, Ipv4Address>, SessionId, CookieHash> by_cookie_;
    std::set<std::pair<Ipv4Address, SessionId>> by_peer_; // spoofed, one may have thousands
    std::unordered_map<JobId, SessionId> by_job_;
    std::set<std::pair<Instant, SessionId>> by_deadline_;
    std::size_t half_open_{0};
    std::size_t first_jobs_{0};
    std::array<std::set<SessionId>, 2> unanswered_;
    bool watched_{false};
    std::set<SessionId> changed_;
};

/// A responder's session whose peer has proved nothing.
[[nodiscard]] bool is_half_open(const Session& session);
/// One that has shown no more than a first message: its address may be spoofed.
[[nodiscard]] bool is_unanswered(const Session& session);

} // namespace adit::ike

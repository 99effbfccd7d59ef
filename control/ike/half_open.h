// SPDX-License-Identifier: Apache-2.0
// What a responder of main mode keeps between message 2 and message 3. Anybody can have such an
// entry for one datagram from a spoofed address, so it holds what cannot be made again and nothing
// else: a whole session has places for all that may come later.
//
// Threading: values. Source: RFC 2409 5.4; SECURITY U10.
#pragma once

#include "control/ike/state.h"

namespace adit::ike {

class HalfOpen {
  public:
    /// Message 1 was answered, and nothing has changed since: no refusal, no hurry.
    [[nodiscard]] static bool fits(const Session& session);

    /// Of a session that fits.
    explicit HalfOpen(Session session);

    /// The same session again.
    [[nodiscard]] Session session(SessionId id) const;

    [[nodiscard]] CookiePair cookies() const { return cookies_; }

    [[nodiscard]] Endpoint local() const { return local_; }

    [[nodiscard]] Endpoint remote() const { return remote_; }

    /// Digest of message 1.
    [[nodiscard]] Digest answered() const { return answered_; }

    /// When it is given up: those that came later later.
    [[nodiscard]] Instant due() const { return created_ + kWaitLimit; }

  private:
    CookiePair cookies_;
    Endpoint local_, remote_;
    Instant created_;
    Instant sent_at_;
    Digest answered_;
    VendorSet vendors_;
    Agreed agreed_;
    Bytes sent_; // message 2
    NatVersion nat_;
    bool configured_;
};

} // namespace adit::ike

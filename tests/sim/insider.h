// SPDX-License-Identifier: Apache-2.0
// Somebody who hears everything and knows the pre-shared keys: says under the keys of a main mode
// and its quick modes what a peer of another make may say there, and ours never does.
//
// Threading: one thread.
#pragma once

#include "control/ike/interface.h"
#include "control/ike/keymat.h"
#include "control/ike/message.h"
#include "control/ike/payload_notify.h"
#include "tests/sim/job_memo.h"

#include <map>
#include <optional>
#include <vector>

namespace adit::sim {

/// What the two ends of an ISAKMP SA have agreed and share.
struct Secrets {
    ike::Phase1Policy policy;
    std::shared_ptr<const SecretBuffer> psk;
};

class Insider {
  public:
    explicit Insider(JobMemo& memo) : memo_(memo) {}

    void hear(const ike::SendDatagram& send);

    /// HDR*, HASH(1), N in answer to a message 5; nothing when too little was heard.
    [[nodiscard]] std::optional<Bytes> refuse(const ike::SendDatagram& message5,
                                              const Secrets& secrets,
                                              MessageId id,
                                              ike::NotifyType type);

    /// Which message of its quick mode this is, copies not counted; 0 when it is none.
    [[nodiscard]] std::size_t place_in_quick_mode(const ike::SendDatagram& send) const;

    /// CONNECTED in answer to a message 3 of quick mode (RFC 2408 3.1): as the fourth one, or as an
    /// informational message. Nothing when too little was heard.
    [[nodiscard]] std::optional<Bytes>
    confirm(const ike::SendDatagram& message3, const Secrets& secrets, ike::ExchangeType exchange);

  private:
    struct Half {
        Bytes key_exchange, nonce;
    };

    /// Under one pair of cookies.
    struct Heard {
        Half initiator, responder;
        std::map<MessageId, std::vector<Bytes>> sealed; // of each exchange, without copies
    };

    struct Keys {
        ike::Skeyids skeyids;
        SecretBuffer cipher_key;
        ike::IvChain chain;
    };

    [[nodiscard]] std::optional<Keys> keys_of(ike::CookiePair cookies, const Secrets& secrets);
    [[nodiscard]] static Bytes seal(const ike::Header& header,
                                    const ike::Notification& notification,
                                    const Secrets& secrets,
                                    const Keys& keys,
                                    ike::IvChain chain);

    JobMemo& memo_;
    std::map<ike::CookiePair, Heard> heard_;
};

} // namespace adit::sim

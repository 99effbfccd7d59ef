// SPDX-License-Identifier: Apache-2.0
// Somebody who knows everything that was said, and the keys: says under the keys of an unfinished
// main mode what a peer of another make may say there, and ours never does.
//
// Threading: one thread.
#pragma once

#include "control/ike/interface.h"
#include "control/ike/message.h"
#include "tests/sim/job_memo.h"

#include <map>
#include <optional>

namespace adit::sim {

class Insider {
  public:
    explicit Insider(JobMemo& memo) : memo_(memo) {}

    /// Messages 3 and 4 of main mode; others pass.
    void hear(const ike::SendDatagram& send);

    /// HDR*, HASH(1), N in answer to a message 5; nothing when too little was heard.
    [[nodiscard]] std::optional<Bytes> refuse(const ike::Header& message5,
                                              const ike::Phase1Policy& policy,
                                              ByteView psk,
                                              MessageId id,
                                              ike::NotifyType type);

  private:
    struct Half {
        Bytes key_exchange, nonce;
    };

    JobMemo& memo_;
    std::map<ike::CookiePair, std::pair<Half, Half>> heard_; // initiator's, responder's
};

} // namespace adit::sim

// SPDX-License-Identifier: Apache-2.0
// Threads for slow crypto, so that one peer never delays the others. Jobs go in as data; results
// come out in order of completion, and event_fd() is readable while some wait.
//
// Threading: submit(), collect() and destruction belong to one thread (control's loop); the workers
// are inside. Jobs still queued when the pool ends are dropped and wiped, running ones waited for.
//
// Errors: open() says what the system refused; a full queue is a value of submit().
#pragma once

#include "common/random.h"
#include "control/ike/job.h"

#include <cstddef>
#include <memory>
#include <vector>

namespace adit::ike {

struct CryptoPoolConfig {
    unsigned threads{1};
    /// Jobs submitted and not yet collected. At 0.5 ms for MODP-2048 one thread works this off in
    /// half a second: a longer queue would only hold exchanges whose peers have given up.
    std::size_t max_jobs{1024};
    /// Pairs of keys that idle threads make ahead, of each group that a job has asked for: a tunnel
    /// comes up sooner, and a burst finds that many ready. Each is used once; those left are wiped.
    std::size_t pairs_ahead{32};
};

enum class Submitted : std::uint8_t {
    Queued,
    Full, // the job was not taken; nothing was changed
};

class CryptoPool {
  public:
    /// `rng` serves all threads at once and outlives the pool; SystemRng does.
    static Result<CryptoPool> open(const CryptoPoolConfig& config, Rng& rng);

    CryptoPool(CryptoPool&&) noexcept;
    CryptoPool& operator=(CryptoPool&&) noexcept;
    ~CryptoPool();

    /// Takes the job only when it says Queued.
    [[nodiscard]] Submitted submit(Job&& job);

    /// All finished results; makes event_fd() unreadable until the next one.
    [[nodiscard]] std::vector<JobResult> collect();

    /// For epoll: readable while results wait.
    [[nodiscard]] int event_fd() const;

    /// Submitted and not yet collected.
    [[nodiscard]] std::size_t outstanding() const;

  private:
    class Shared;

    explicit CryptoPool(std::unique_ptr<Shared> shared);

    std::unique_ptr<Shared> shared_;
};

} // namespace adit::ike

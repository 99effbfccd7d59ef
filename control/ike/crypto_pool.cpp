// SPDX-License-Identifier: Apache-2.0
#include "control/ike/crypto_pool.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <sys/eventfd.h>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <utility>

namespace adit::ike {

/// What the owner and the workers see: two queues under one lock. A job takes thousands of times
/// longer than the lock is held, so nothing finer is worth it.
class CryptoPool::Shared final : public PairSource {
  public:
    Shared(const CryptoPoolConfig& config, int event_fd, Rng& rng)
        : max_jobs_(config.max_jobs), pairs_ahead_(config.pairs_ahead), event_fd_(event_fd),
          rng_(rng) {}

    Shared(const Shared&) = delete;
    Shared& operator=(const Shared&) = delete;

    ~Shared() override {
        {
            const std::lock_guard lock{mutex_};
            stopping_ = true;
            jobs_.clear();
        }
        work_arrived_.notify_all();
        for (std::thread& worker : workers_)
            worker.join();
        close(event_fd_);
    }

    Status start(unsigned threads) {
        // The one place where the standard library can only throw: the system refuses a thread.
        try {
            for (unsigned i = 0; i < threads; ++i)
                workers_.emplace_back([this] { work(); });
        } catch (const std::system_error& error) {
            return fail(ErrorCode::System,
                        std::string{"starting a crypto thread: "} + error.what());
        }
        return {};
    }

    /// For the jobs that the workers run.
    Result<DhKeyPair> take(Group group) override {
        {
            const std::lock_guard lock{mutex_};
            std::vector<DhKeyPair>& ready = ready_[group];
            if (!ready.empty()) {
                DhKeyPair pair = std::move(ready.back());
                ready.pop_back();
                return pair;
            }
        }
        return dh_generate(group, rng_);
    }

    Submitted submit(Job&& job) {
        {
            const std::lock_guard lock{mutex_};
            if (outstanding_ >= max_jobs_)
                return Submitted::Full;
            ++outstanding_;
            jobs_.push_back(std::move(job));
        }
        work_arrived_.notify_one();
        return Submitted::Queued;
    }

    std::vector<JobResult> collect() {
        const std::lock_guard lock{mutex_};
        clear_event();
        outstanding_ -= results_.size();
        return std::exchange(results_, {});
    }

    [[nodiscard]] int event_fd() const { return event_fd_; }

    [[nodiscard]] std::size_t outstanding() const {
        const std::lock_guard lock{mutex_};
        return outstanding_;
    }

  private:
    /// Jobs first; a worker without one makes a pair ahead before it looks again.
    void work() {
        std::unique_lock lock{mutex_};
        while (true) {
            work_arrived_.wait(
                lock, [this] { return stopping_ || !jobs_.empty() || lacking() != ready_.end(); });
            if (stopping_)
                return;
            if (!jobs_.empty())
                do_job(lock);
            else
                make_pair_ahead(lock);
        }
    }

    /// Lets go of the lock meanwhile.
    void do_job(std::unique_lock<std::mutex>& lock) {
        const Job job = std::move(jobs_.front());
        jobs_.pop_front();
        lock.unlock();
        JobResult result = run(job, *this);
        lock.lock();
        deliver(std::move(result));
    }

    /// Lets go of the lock meanwhile. Two workers may make one pair too many.
    void make_pair_ahead(std::unique_lock<std::mutex>& lock) {
        const Group group = lacking()->first;
        lock.unlock();
        Result<DhKeyPair> pair = dh_generate(group, rng_);
        lock.lock();
        if (pair)
            ready_[group].push_back(std::move(*pair));
        else
            ready_.erase(group); // as before it was first asked for
    }

    [[nodiscard]] std::map<Group, std::vector<DhKeyPair>>::const_iterator lacking() const {
        return std::ranges::find_if(
            ready_, [this](const auto& entry) { return entry.second.size() < pairs_ahead_; });
    }

    void deliver(JobResult result) {
        results_.push_back(std::move(result));
        // Under the lock, so that collect() cannot clear an event whose result it has not taken.
        const std::uint64_t one = 1;
        ENSURE(write(event_fd_, &one, sizeof one) == sizeof one);
    }

    void clear_event() const {
        std::uint64_t count = 0;
        // Fails with EAGAIN when nothing has finished, which is as good.
        [[maybe_unused]] const ssize_t got = read(event_fd_, &count, sizeof count);
    }

    const std::size_t max_jobs_;
    const std::size_t pairs_ahead_;
    const int event_fd_;
    Rng& rng_;
    mutable std::mutex mutex_;
    std::condition_variable work_arrived_;
    bool stopping_{false};
    std::size_t outstanding_{0};
    std::deque<Job> jobs_;
    std::vector<JobResult> results_;
    std::map<Group, std::vector<DhKeyPair>> ready_; // of groups that were asked for
    std::vector<std::thread> workers_;
};

CryptoPool::CryptoPool(std::unique_ptr<Shared> shared) : shared_(std::move(shared)) {}

CryptoPool::CryptoPool(CryptoPool&&) noexcept = default;
CryptoPool& CryptoPool::operator=(CryptoPool&&) noexcept = default;
CryptoPool::~CryptoPool() = default;

Result<CryptoPool> CryptoPool::open(const CryptoPoolConfig& config, Rng& rng) {
    if (config.threads == 0 || config.max_jobs == 0)
        return fail(ErrorCode::Invalid, "a crypto pool needs a thread and room for a job");
    const int event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (event_fd < 0)
        return fail_errno("eventfd for the crypto pool");
    auto shared = std::make_unique<Shared>(config, event_fd, rng);
    TRY_VOID(shared->start(config.threads));
    return CryptoPool{std::move(shared)};
}

Submitted CryptoPool::submit(Job&& job) {
    return shared_->submit(std::move(job));
}

std::vector<JobResult> CryptoPool::collect() {
    return shared_->collect();
}

int CryptoPool::event_fd() const {
    return shared_->event_fd();
}

std::size_t CryptoPool::outstanding() const {
    return shared_->outstanding();
}

} // namespace adit::ike

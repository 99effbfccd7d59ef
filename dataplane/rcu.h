// SPDX-License-Identifier: Apache-2.0
// Read-copy-update over rte_rcu_qsbr. The housekeeper publishes a new object and keeps the old one
// until every worker has said, once per turn of its loop, that it holds no pointer into it.
//
// Threading: publish() and reclaim(): the housekeeper; load() and quiescent(): any worker.
#pragma once

#include "common/error.h"

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <rte_rcu_qsbr.h>
#include <utility>
#include <vector>

namespace adit::dataplane {

class Rcu {
  public:
    explicit Rcu(unsigned workers) {
        const std::size_t bytes = rte_rcu_qsbr_get_memsize(workers);
        memory_.reset(std::aligned_alloc(RTE_CACHE_LINE_SIZE, bytes));
        ENSURE(memory_ != nullptr && rte_rcu_qsbr_init(qsbr(), workers) == 0);
    }

    /// Before the worker's first load().
    void join(unsigned worker) {
        ENSURE(rte_rcu_qsbr_thread_register(qsbr(), worker) == 0);
        rte_rcu_qsbr_thread_online(qsbr(), worker);
    }

    /// The worker has ended; nobody waits for it any more.
    void leave(unsigned worker) {
        rte_rcu_qsbr_thread_offline(qsbr(), worker);
        rte_rcu_qsbr_thread_unregister(qsbr(), worker);
    }

    /// The worker holds no pointer that it loaded before.
    void quiescent(unsigned worker) { rte_rcu_qsbr_quiescent(qsbr(), worker); }

    [[nodiscard]] std::uint64_t start() { return rte_rcu_qsbr_start(qsbr()); }

    /// Whether all workers were quiescent since start() gave `token`. Does not wait.
    [[nodiscard]] bool passed(std::uint64_t token) {
        return rte_rcu_qsbr_check(qsbr(), token, false) == 1;
    }

  private:
    struct Free {
        void operator()(void* memory) const { std::free(memory); }
    };

    rte_rcu_qsbr* qsbr() { return static_cast<rte_rcu_qsbr*>(memory_.get()); }

    std::unique_ptr<void, Free> memory_;
};

template <class T> class Published {
  public:
    explicit Published(Rcu& rcu) : rcu_(&rcu) {}

    /// Valid until this worker's next quiescent(). May be null.
    [[nodiscard]] T* load() const {
        // Acquire: pairs with publish(); the object is complete.
        return visible_.load(std::memory_order_acquire);
    }

    void publish(std::unique_ptr<T> next) {
        visible_.store(next.get(), std::memory_order_release);
        // Behind the object: who sees this number sees the object too.
        publications_.fetch_add(1, std::memory_order_release);
        if (current_ != nullptr)
            retired_.push_back({rcu_->start(), std::move(current_)});
        current_ = std::move(next);
    }

    /// How often publish() was called. What a worker derives from an object that it loads after
    /// reading this holds while the number stays.
    [[nodiscard]] std::uint64_t publications() const {
        return publications_.load(std::memory_order_acquire);
    }

    /// Frees what no worker can hold any more; call now and then.
    void reclaim() {
        std::erase_if(retired_, [&](const Retired& old) { return rcu_->passed(old.token); });
    }

    /// The published object, for its owner.
    [[nodiscard]] T* get() const { return current_.get(); }

  private:
    struct Retired {
        std::uint64_t token;
        std::unique_ptr<T> object;
    };

    Rcu* rcu_;
    std::atomic<T*> visible_{nullptr};
    std::atomic<std::uint64_t> publications_{0};
    std::unique_ptr<T> current_;
    std::vector<Retired> retired_;
};

} // namespace adit::dataplane

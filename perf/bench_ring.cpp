// SPDX-License-Identifier: Apache-2.0
// Question: how many 512-octet records a second does our ring carry from one core to another, and
// how long does one record take from control to a core that polls, beside rings that trust their
// peer?
//
//   adit command   our ring with the slot wiped after each pop, as the command rings are
//   adit plain     our ring, nothing wiped
//   rte_ring       DPDK's, SPSC mode, through rte_ring_elem, one record a call
//   boost          boost::lockfree::spsc_queue
//
// Two pinned threads. Rounds are short and many (some 10 ms), so that on a busy machine some of
// them run undisturbed. Throughput: the producer pushes as fast as the ring takes them. Latency:
// one record in flight; its producer stamps it just before the push, the polling side just after
// the pop.
#include "common/ipc/spsc_ring.h"
#include "perf/harness.h"

#include <atomic>
#include <boost/lockfree/spsc_queue.hpp>
#include <memory>
#include <new>
#include <rte_ring.h>
#include <rte_ring_elem.h>
#include <thread>

namespace {

using namespace adit;
using namespace adit::perf;

constexpr unsigned kSlots = 1024;
constexpr unsigned kRounds = 41;
constexpr std::uint64_t kThroughputRecords = 100'000;
constexpr std::uint64_t kLatencyRecords = 5'000;
constexpr std::uint64_t kWarmUpRecords = 2'000;
constexpr unsigned kProducerCore = 0;
constexpr unsigned kConsumerCore = 1;

struct PlainRecord {
    std::uint64_t stamp;
    std::uint8_t rest[ipc::kCommandBytes - sizeof(std::uint64_t)];
};

static_assert(sizeof(PlainRecord) == sizeof(ipc::CommandRecord));

// ---------------------------------------------------------------------------------------------------
// the contestants: push and pop of a PlainRecord's octets, false when full or empty

/// Record is CommandRecord (wiped) or PlainRecord (not).
template <class Record> class AditRing {
  public:
    AditRing()
        : slots_(new(std::align_val_t{64}) std::uint8_t[ipc::slots_bytes<Record>(kSlots)]()),
          producer_(tail_, head_, slots_.get(), kSlots),
          consumer_(tail_, head_, slots_.get(), kSlots) {}

    bool push(const Record& record) { return producer_.try_push(record); }

    bool pop(Record& out) { return consumer_.try_pop(out) == ipc::PopResult::Got; }

  private:
    struct Free {
        void operator()(std::uint8_t* slots) const {
            ::operator delete[](slots, std::align_val_t{64});
        }
    };

    ipc::RingIndex tail_;
    ipc::RingIndex head_;
    std::unique_ptr<std::uint8_t[], Free> slots_;
    ipc::RingProducer<Record> producer_;
    ipc::RingConsumer<Record> consumer_;
};

/// rte_ring_init on our own memory needs no EAL.
class RteRing {
  public:
    RteRing() {
        // One slot of an rte_ring stays empty: twice the slots, limited to ours.
        const ssize_t size = rte_ring_get_memsize_elem(sizeof(PlainRecord), 2 * kSlots);
        ENSURE(size > 0);
        memory_ = ::operator new(static_cast<std::size_t>(size), std::align_val_t{128});
        ring_ = static_cast<rte_ring*>(memory_);
        ENSURE(rte_ring_init(
                   ring_, "bench", kSlots, RING_F_SP_ENQ | RING_F_SC_DEQ | RING_F_EXACT_SZ) == 0);
    }

    RteRing(const RteRing&) = delete;
    RteRing& operator=(const RteRing&) = delete;

    ~RteRing() { ::operator delete(memory_, std::align_val_t{128}); }

    bool push(const PlainRecord& record) {
        // The parameter is void* although it is only read.
        return rte_ring_sp_enqueue_elem(ring_, const_cast<PlainRecord*>(&record), sizeof record) ==
               0;
    }

    bool pop(PlainRecord& out) { return rte_ring_sc_dequeue_elem(ring_, &out, sizeof out) == 0; }

  private:
    void* memory_;
    rte_ring* ring_;
};

class BoostQueue {
  public:
    bool push(const PlainRecord& record) { return queue_.push(record); }

    bool pop(PlainRecord& out) { return queue_.pop(out); }

  private:
    boost::lockfree::spsc_queue<PlainRecord, boost::lockfree::capacity<kSlots>> queue_;
};

// ---------------------------------------------------------------------------------------------------
// the measurements

void set_stamp(PlainRecord& record, std::uint64_t stamp) {
    record.stamp = stamp;
}

void set_stamp(ipc::CommandRecord& record, std::uint64_t stamp) {
    std::memcpy(record.bytes, &stamp, sizeof stamp);
}

template <class Record> std::uint64_t stamp_of(const Record& record) {
    std::uint64_t stamp = 0;
    std::memcpy(&stamp, &record, sizeof stamp);
    return stamp;
}

/// Runs the producer in a thread of its own and the consumer here, each pinned, started together.
template <class Producer, class Consumer> void run_both(Producer produce, Consumer consume) {
    std::atomic<bool> ready{false};
    std::atomic<bool> started{false};
    std::thread producer{[&] {
        pin_to_core(kProducerCore);
        ready.store(true, std::memory_order_release);
        while (!started.load(std::memory_order_acquire))
            _mm_pause();
        produce();
    }};
    pin_to_core(kConsumerCore);
    // Yielding: the new thread may still stand on this core.
    while (!ready.load(std::memory_order_acquire))
        std::this_thread::yield();
    started.store(true, std::memory_order_release);
    consume();
    producer.join();
}

/// Million records a second.
template <class Ring, class Record> double throughput() {
    const auto ring = std::make_unique<Ring>();
    std::uint64_t elapsed_ns = 0;
    std::uint64_t wrong = 0;
    run_both(
        [&ring] {
            Record record{};
            for (std::uint64_t number = 0; number < kWarmUpRecords + kThroughputRecords; ++number) {
                set_stamp(record, number);
                while (!ring->push(record))
                    _mm_pause();
            }
        },
        [&] {
            Record out;
            std::uint64_t start = 0;
            for (std::uint64_t number = 0; number < kWarmUpRecords + kThroughputRecords; ++number) {
                if (number == kWarmUpRecords)
                    start = now_ns();
                while (!ring->pop(out))
                    _mm_pause();
                wrong += stamp_of(out) == number ? 0U : 1U;
            }
            elapsed_ns = now_ns() - start;
        });
    ENSURE(wrong == 0);
    return static_cast<double>(kThroughputRecords) * 1e3 / static_cast<double>(elapsed_ns);
}

/// Nanoseconds from before the push to after the pop.
template <class Ring, class Record> std::vector<double> latencies(double tick_ns) {
    const auto ring = std::make_unique<Ring>();
    std::vector<double> samples;
    samples.reserve(kLatencyRecords);
    std::atomic<std::uint64_t> seen{0};
    run_both(
        [&] {
            Record record{};
            for (std::uint64_t number = 1; number <= kWarmUpRecords + kLatencyRecords; ++number) {
                set_stamp(record, ticks());
                while (!ring->push(record))
                    _mm_pause();
                while (seen.load(std::memory_order_acquire) < number)
                    _mm_pause();
            }
        },
        [&] {
            Record out;
            for (std::uint64_t number = 1; number <= kWarmUpRecords + kLatencyRecords; ++number) {
                while (!ring->pop(out))
                    _mm_pause();
                const std::uint64_t taken = ticks() - stamp_of(out);
                if (number > kWarmUpRecords)
                    samples.push_back(static_cast<double>(taken) / tick_ns);
                seen.store(number, std::memory_order_release);
            }
        });
    return samples;
}

struct Contestant {
    const char* name;
    double (*measure_throughput)();
    std::vector<double> (*measure_latency)(double);
    std::vector<double> mrps, median_ns, p99_ns;
};

template <class Ring, class Record> Contestant contestant(const char* name) {
    return {.name = name,
            .measure_throughput = throughput<Ring, Record>,
            .measure_latency = latencies<Ring, Record>,
            .mrps = {},
            .median_ns = {},
            .p99_ns = {}};
}

void print_summary(const std::vector<Contestant>& contestants) {
    std::printf("%-14s %28s %28s %28s\n",
                "512 octets",
                "Mrecords/s (min..max)",
                "latency ns, median",
                "latency ns, 99 %");
    std::string line =
        "{\"bench\":\"ring\",\"record_bytes\":512,\"rounds\":" + std::to_string(kRounds) +
        ",\"rings\":[";
    for (const Contestant& one : contestants) {
        const Summary rate = summarize(one.mrps);
        const Summary median = summarize(one.median_ns);
        const Summary p99 = summarize(one.p99_ns);
        const auto print_cell = [](const Summary& cell, int digits) {
            std::printf(
                " %10.*f (%6.*f..%7.*f)", digits, cell.median, digits, cell.min, digits, cell.max);
        };
        std::printf("%-14s", one.name);
        print_cell(rate, 2);
        print_cell(median, 0);
        print_cell(p99, 0);
        std::printf("\n");
        line += std::string{line.back() == '[' ? "" : ","} + "{\"name\":\"" + one.name + "\"," +
                json("mrecords_per_s", rate) + "," + json("latency_ns", median) + "," +
                json("latency_p99_ns", p99) + "}";
    }
    std::printf("%s]}\n", line.c_str());
}

} // namespace

int main() {
    if (!pin_to_core(kProducerCore) || !pin_to_core(kConsumerCore)) {
        std::fprintf(stderr, "bench-ring: needs cores 0 and 1\n");
        return 1;
    }
    const double tick_ns = ticks_per_ns();
    std::vector<Contestant> contestants;
    contestants.push_back(
        contestant<AditRing<ipc::CommandRecord>, ipc::CommandRecord>("adit command"));
    contestants.push_back(contestant<AditRing<PlainRecord>, PlainRecord>("adit plain"));
    contestants.push_back(contestant<RteRing, PlainRecord>("rte_ring"));
    contestants.push_back(contestant<BoostQueue, PlainRecord>("boost"));
    for (unsigned round = 0; round < kRounds; ++round) {
        for (Contestant& one : contestants) {
            one.mrps.push_back(one.measure_throughput());
            std::vector<double> samples = one.measure_latency(tick_ns);
            one.median_ns.push_back(percentile(samples, 0.5));
            one.p99_ns.push_back(percentile(samples, 0.99));
        }
    }
    print_summary(contestants);
    return 0;
}

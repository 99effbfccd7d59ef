// SPDX-License-Identifier: Apache-2.0
// How much more do two workers forward than one, and what does a packet cost that arrives at the
// worker that does not have its SA?
//
// Each worker has a core, and a source and sink of its own (ends.h) on queues of the same two
// ports, so that the source is nobody's limit. Contestants take turns, many short samples each:
//
//   alone 0, alone 1   a gateway with one worker, on either core
//   one of two         the same in a gateway with two workers, the other of which stands still
//   at home            two workers; each packet arrives at the worker that has its SA
//   crossing           two workers; half of the packets arrive at the other one and are handed over
//
// A sample counts when nothing was dropped in it and each sink got what its source gave, within
// kTolerance: otherwise one worker was not running for a while and the other served its backlog.
// The best samples are compared, for the cores may have other work to do; medians say how much.
//
// A handover costs what the cache lines of a packet cost on their way to the other core, and a
// virtual machine's two cores may be neighbours now and far from each other a minute later: how
// long a line takes is measured before and after. Compare figures of like distances only.
//
// One table, and one JSON line.
#include "perf/command_line.h"
#include "perf/ends.h"
#include "perf/gateway.h"
#include "perf/harness.h"

#include "dataplane/eal.h"
#include "dataplane/eth_port.h"
#include "dataplane/mbuf_pool.h"

#include <array>
#include <atomic>
#include <barrier>
#include <boost/program_options.hpp>
#include <cmath>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace adit::perf {
namespace {

namespace dp = dataplane;
namespace po = boost::program_options;

constexpr unsigned kWorkers = 2;

struct Options {
    Suite suite{};
    Flow flow{};
    Load load;
    std::uint32_t tunnels{};
    unsigned rounds{};
    double sample_ms{};
    std::array<unsigned, kWorkers> cores{};
    std::uint32_t memory_mb{};
    dp::Hugepages hugepages{};
};

/// A tunnel's number says everything: bit 0 whose SA it is, bit 1 where it arrives when crossing,
/// bit 2 which contestants use it (two senders must not share an SA's sequence numbers).
constexpr std::uint32_t kKindsOfTunnels = 8;

Options parse(int argc, char** argv) {
    std::string load;
    Options options;
    CommandLine line{"bench-workers"};
    auto add = line.add_options();
    add("load", po::value(&load)->default_value("64"), "size of inner packets, or imix");
    add("tunnels", po::value(&options.tunnels)->default_value(64), "SAs a direction");
    add("rounds", po::value(&options.rounds)->default_value(30), "turns that each contestant gets");
    add("sample-ms", po::value(&options.sample_ms)->default_value(1), "length of a sample");
    add("core-0", po::value(&options.cores[0])->default_value(0), "CPU of worker 0");
    add("core-1", po::value(&options.cores[1])->default_value(1), "CPU of worker 1");
    line.parse(argc, argv);
    if (options.tunnels == 0 || options.tunnels % kKindsOfTunnels != 0 ||
        options.tunnels > kMaxSaSlots)
        line.refuse("--tunnels is a multiple of " + std::to_string(kKindsOfTunnels) + " up to " +
                    std::to_string(kMaxSaSlots));
    options.suite = line.suite;
    options.flow = line.flow;
    options.load = line.load(load);
    options.memory_mb = line.memory_mb;
    options.hugepages = line.hugepages;
    return options;
}

enum class Arrival : std::uint8_t { AtHome, Crossing };

struct Contestant {
    const char* name;
    Arrival arrival;
    std::uint8_t workers;
    std::vector<unsigned> cores; // of worker 0 and on; who has none stands still
};

/// Million packets a second, by round.
struct Rates {
    std::vector<double> good;
    unsigned discarded{0};
};

/// One worker's side of one sample.
struct Lane {
    unsigned worker, core;
    std::unique_ptr<Ends> ends;
    std::optional<Ends::Sample> sample;
};

/// Ticks that a cache line takes from one core to the other: half a round trip, the best of many.
double line_ticks(const std::array<unsigned, kWorkers>& cores) {
    constexpr std::uint64_t kBatches = 200, kRoundTrips = 100;
    alignas(128) std::atomic<std::uint64_t> line{0}; // even: the near side's turn
    std::thread far{[&] {
        pin_to_core(cores[0]);
        for (std::uint64_t turn = 1; turn < 2 * kBatches * kRoundTrips; turn += 2) {
            while (line.load(std::memory_order_acquire) != turn)
                _mm_pause();
            line.store(turn + 1, std::memory_order_release);
        }
    }};
    pin_to_core(cores[1]);
    std::uint64_t best = ~std::uint64_t{0}, turn = 0;
    for (std::uint64_t batch = 0; batch < kBatches; ++batch) {
        const std::uint64_t start = ticks();
        for (std::uint64_t i = 0; i < kRoundTrips; ++i, turn += 2) {
            line.store(turn + 1, std::memory_order_release);
            while (line.load(std::memory_order_acquire) != turn + 2)
                _mm_pause();
        }
        best = std::min(best, ticks() - start);
    }
    far.join();
    return static_cast<double>(best) / (2.0 * kRoundTrips);
}

class Bench {
  public:
    Bench(const Options& options, dp::MbufPool& pool)
        : options_(options),
          lan_(must(dp::EthPort::open({"lan", "net_null0,no-rx=1"}, pool, kWorkers))),
          wan_(must(dp::EthPort::open({"wan", "net_null1,no-rx=1"}, pool, kWorkers))),
          pool_(pool.get()), per_ns_(ticks_per_ns()) {
        for (const Arrival arrival : {Arrival::AtHome, Arrival::Crossing})
            for (unsigned worker = 0; worker < kWorkers; ++worker)
                writer(arrival, worker) = make_writer(arrival, worker);
    }

    void run() {
        const auto [first, second] = options_.cores;
        const std::array<Contestant, 5> contestants{
            {{"alone 0", Arrival::AtHome, 1, {first}},
             {"alone 1", Arrival::AtHome, 1, {second}},
             {"one of two", Arrival::AtHome, 2, {second}},
             {"at home", Arrival::AtHome, 2, {first, second}},
             {"crossing", Arrival::Crossing, 2, {first, second}}}};
        std::array<Rates, contestants.size()> rates;
        const double line_before_ns = line_ticks(options_.cores) / per_ns_;
        for (unsigned round = 0; round < options_.rounds; ++round)
            for (std::size_t i = 0; i < contestants.size(); ++i)
                take_samples(contestants[i], rates[i]);
        const double line_after_ns = line_ticks(options_.cores) / per_ns_;
        report(contestants, rates, line_before_ns, line_after_ns);
    }

  private:
    static constexpr unsigned kSamplesARound = 20;
    static constexpr double kTolerance = 0.02;
    /// Until everything under way has left: both batches and both full rings.
    static constexpr unsigned kTurnsToDrain =
        2 * (kPackets + dp::HandoverRings::kSlots) / dp::kRxBurst;

    [[nodiscard]] GatewaySpec spec(const Contestant& contestant) const {
        return {options_.suite,
                Encapsulation::Native,
                options_.tunnels,
                lan_.id(),
                wan_.id(),
                lan_.mac(),
                wan_.mac(),
                pool_,
                contestant.workers};
    }

    std::unique_ptr<FrameWriter>& writer(Arrival arrival, unsigned worker) {
        return writers_[static_cast<std::size_t>(arrival)][worker];
    }

    [[nodiscard]] std::unique_ptr<FrameWriter> make_writer(Arrival arrival, unsigned worker) const {
        std::vector<std::uint32_t> tunnels;
        for (std::uint32_t tunnel = 0; tunnel < options_.tunnels; ++tunnel) {
            const std::uint32_t owner = tunnel & 1;
            const std::uint32_t receiver = arrival == Arrival::AtHome ? owner : tunnel >> 1 & 1;
            if (receiver == worker && (tunnel >> 2 & 1) == static_cast<std::uint32_t>(arrival))
                tunnels.push_back(tunnel);
        }
        return make_frame_writer({options_.suite,
                                  Encapsulation::Native,
                                  options_.flow,
                                  options_.tunnels,
                                  kWorkers,
                                  std::move(tunnels)});
    }

    /// In a fresh gateway: two at once would want the same names for their rings.
    void take_samples(const Contestant& contestant, Rates& rates) {
        Gateway gateway{spec(contestant)};
        for (unsigned i = 0; i < kSamplesARound; ++i)
            if (const auto rate = sample(contestant, gateway))
                rates.good.push_back(*rate);
            else
                ++rates.discarded;
    }

    /// Million packets a second, of all workers together; nothing when disturbed.
    std::optional<double> sample(const Contestant& contestant, Gateway& gateway) {
        std::vector<Lane> lanes;
        for (unsigned worker = 0; worker < contestant.cores.size(); ++worker)
            lanes.push_back(make_lane(contestant, worker));
        const std::uint64_t dropped_before = gateway.dropped();
        run_together(lanes, gateway);
        bool good = gateway.dropped() == dropped_before;
        drain(lanes, gateway);
        double rate = 0;
        for (const Lane& lane : lanes) {
            good = good && is_balanced(*lane.sample);
            rate += packets_per_us(*lane.sample);
        }
        for (; !lanes.empty(); lanes.pop_back()) // the last ends go first (ends.h)
            writer(contestant.arrival, lanes.back().worker) = lanes.back().ends->take_writer();
        return good ? std::optional{rate} : std::nullopt;
    }

    Lane make_lane(const Contestant& contestant, unsigned worker) {
        const bool out = options_.flow == Flow::Out;
        const dp::EthPort& from = out ? lan_ : wan_;
        const dp::EthPort& to = out ? wan_ : lan_;
        auto ends = std::make_unique<Ends>(
            std::move(writer(contestant.arrival, worker)), pool_, from.mac());
        const auto queue = static_cast<std::uint16_t>(worker);
        ends->be_sink_of(to.id(), queue);
        ends->be_source_of(from.id(), queue);
        return {worker, contestant.cores[worker], std::move(ends), std::nullopt};
    }

    /// Each lane takes one sample and keeps its worker busy until all have theirs.
    void run_together(std::vector<Lane>& lanes, Gateway& gateway) const {
        std::barrier start{static_cast<std::ptrdiff_t>(lanes.size())};
        std::atomic<std::size_t> missing{lanes.size()};
        std::vector<std::thread> threads;
        for (Lane& lane : lanes)
            threads.emplace_back([&] {
                if (!pin_to_core(lane.core))
                    die("there is no core " + std::to_string(lane.core));
                start.arrive_and_wait();
                start_sample(lane, missing);
                while (missing.load(std::memory_order_relaxed) > 0)
                    gateway.turn(lane.worker);
            });
        for (std::thread& thread : threads)
            thread.join();
    }

    void start_sample(Lane& lane, std::atomic<std::size_t>& missing) const {
        const auto wanted = static_cast<std::uint64_t>(options_.sample_ms * 1e6 * per_ns_);
        lane.ends->start(options_.load, wanted, [&](const Ends::Sample& taken) {
            if (!lane.sample) {
                lane.sample = taken;
                missing.fetch_sub(1, std::memory_order_relaxed);
            }
            start_sample(lane, missing);
        });
    }

    static void drain(std::vector<Lane>& lanes, Gateway& gateway) {
        for (Lane& lane : lanes)
            lane.ends->stop();
        for (unsigned turn = 0; turn < kTurnsToDrain; ++turn)
            for (Lane& lane : lanes)
                gateway.turn(lane.worker);
    }

    static bool is_balanced(const Ends::Sample& sample) {
        const double left = static_cast<double>(sample.packets);
        const double came = static_cast<double>(sample.offered);
        return std::abs(left - came) <= kTolerance * came;
    }

    [[nodiscard]] double packets_per_us(const Ends::Sample& sample) const {
        return static_cast<double>(sample.packets) * per_ns_ * 1e3 /
               static_cast<double>(sample.ticks);
    }

    template <std::size_t kCount>
    void report(const std::array<Contestant, kCount>& contestants,
                const std::array<Rates, kCount>& rates,
                double line_before_ns,
                double line_after_ns) const {
        std::array<Summary, kCount> sums;
        std::printf("a cache line takes %.0f ns from core to core before, %.0f ns after\n",
                    line_before_ns,
                    line_after_ns);
        std::printf("%-10s %10s %12s %18s %10s\n",
                    "",
                    "Mpps best",
                    "Mpps median",
                    "ns/packet a worker",
                    "discarded");
        for (std::size_t i = 0; i < kCount; ++i) {
            if (rates[i].good.empty())
                die(std::string{"no sample of '"} + contestants[i].name +
                    "' was undisturbed: give the cores less other work, or take more --rounds");
            sums[i] = summarize(rates[i].good);
            std::printf("%-10s %10.2f %12.2f %18.1f %10u\n",
                        contestants[i].name,
                        sums[i].max,
                        sums[i].median,
                        1e3 * static_cast<double>(contestants[i].cores.size()) / sums[i].max,
                        rates[i].discarded);
        }
        conclude(sums, line_before_ns, line_after_ns);
    }

    void conclude(const std::array<Summary, 5>& sums,
                  double line_before_ns,
                  double line_after_ns) const {
        const auto& [alone_0, alone_1, one_of_two, home, crossing] = sums;
        const double alone = std::max(alone_0.max, alone_1.max);
        // ns a packet and worker; half of the packets are handed over.
        const double handover_ns = 2 * (2e3 / crossing.max - 2e3 / home.max);
        std::printf(
            "at home %.2f times one worker, crossing %.2f times; a handover costs %.1f ns\n",
            home.max / alone,
            crossing.max / alone,
            handover_ns);
        std::printf("{\"bench\":\"workers\",\"suite\":\"%s\",\"direction\":\"%s\",\"load\":\"%s\","
                    "\"tunnels\":%u,%s,%s,%s,%s,%s,\"ratio_home\":%.3f,\"ratio_crossing\":%.3f,"
                    "\"handover_ns\":%.1f,\"line_ns_before\":%.1f,\"line_ns_after\":%.1f}\n",
                    options_.suite.name,
                    options_.flow == Flow::Out ? "out" : "in",
                    options_.load.name.c_str(),
                    options_.tunnels,
                    json("alone_0_mpps", alone_0).c_str(),
                    json("alone_1_mpps", alone_1).c_str(),
                    json("one_of_two_mpps", one_of_two).c_str(),
                    json("home_mpps", home).c_str(),
                    json("crossing_mpps", crossing).c_str(),
                    home.max / alone,
                    crossing.max / alone,
                    handover_ns,
                    line_before_ns,
                    line_after_ns);
    }

    const Options& options_;
    dp::EthPort lan_, wan_;
    rte_mempool* pool_;
    double per_ns_;
    std::array<std::array<std::unique_ptr<FrameWriter>, kWorkers>, 2> writers_; // by Arrival
};

} // namespace
} // namespace adit::perf

int main(int argc, char** argv) {
    using namespace adit::perf;
    namespace dp = adit::dataplane;
    const Options options = parse(argc, argv);
    const dp::Eal eal =
        start_eal("bench-workers", options.cores[1], options.hugepages, options.memory_mb);
    auto pool = must(dp::MbufPool::create("packets", dp::PoolPlan::fill(options.memory_mb, 2048)));
    Bench{options, pool}.run();
    return 0;
}

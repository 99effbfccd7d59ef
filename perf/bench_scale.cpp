// SPDX-License-Identifier: Apache-2.0
// How fast can control fill a worker with tunnels, does the worker's traffic notice, and how much
// memory is a tunnel?
//
// One worker forwards packets of some tunnels between source and sink (ends.h) without a pause.
// Another thread is control and gives commands as fast as the ring takes them:
//
//   before    nothing
//   install   the other tunnels, 200,000 SAs
//   loaded    nothing
//   replace   a new pair for each tunnel, then the old one's removal; outwards for those with
//   traffic
//             too (inwards the peer would have to change keys with us)
//   remove    all tunnels without traffic
//   again     installs them once more, in slots whose memory is there already
//   after     nothing
//
// A turn is what stands between two looks at the queue of a port. At 14.88 million packets a second
// (10 Gbit/s, 64 octets) a queue of 1,024 descriptors is full after 69 us: turns longer than that
// are counted. The clock stands still while the source writes frames, control's does not.
#include "perf/command_line.h"
#include "perf/ends.h"
#include "perf/gateway.h"
#include "perf/harness.h"
#include "perf/resident.h"

#include "dataplane/eal.h"
#include "dataplane/eth_port.h"
#include "dataplane/mbuf_pool.h"

#include <array>
#include <atomic>
#include <boost/program_options.hpp>
#include <string>
#include <thread>
#include <vector>

namespace adit::perf {
namespace {

namespace dp = dataplane;
namespace po = boost::program_options;

struct Options {
    Suite suite{};
    Flow flow{};
    Load load;
    std::uint32_t traffic{}; // tunnels with packets
    std::uint32_t tunnels{}; // with and without
    double sample_ms{};
    unsigned core{}, control_core{};
    std::uint32_t memory_mb{};
    dp::Hugepages hugepages{};
};

/// Installing replaces each SA once, in a slot of its own.
constexpr std::uint32_t kGenerations = 2;
/// Policies look like the tunnels' far hosts: that many fit behind the gateway's route.
constexpr std::uint32_t kMaxTunnels = kMaxSaSlots / kGenerations;

Options parse(int argc, char** argv) {
    std::string load;
    Options options;
    CommandLine line{"bench-scale"};
    auto add = line.add_options();
    add("load", po::value(&load)->default_value("64"), "size of inner packets, or imix");
    add("traffic", po::value(&options.traffic)->default_value(1000), "tunnels with traffic");
    add("tunnels", po::value(&options.tunnels)->default_value(101'000), "tunnels in all");
    add("sample-ms", po::value(&options.sample_ms)->default_value(2), "length of a sample");
    add("core", po::value(&options.core)->default_value(1), "CPU of the worker");
    add("control-core", po::value(&options.control_core)->default_value(0), "CPU of control");
    line.parse(argc, argv);
    if (options.tunnels > kMaxTunnels || options.traffic == 0 || options.traffic >= options.tunnels)
        line.refuse("--traffic is at least 1 and less than --tunnels, which is at most " +
                    std::to_string(kMaxTunnels));
    options.suite = line.suite;
    options.flow = line.flow;
    options.load = line.load(load);
    options.memory_mb = line.memory_mb;
    options.hugepages = line.hugepages;
    return options;
}

enum class Phase : std::uint8_t { Before, Install, Loaded, Replace, Remove, Again, After };

constexpr const char* kPhaseNames[] = {
    "before", "install", "loaded", "replace", "remove", "again", "after"};
constexpr std::size_t kPhases = std::size(kPhaseNames);

/// What the worker's traffic met with during one phase.
struct Traffic {
    std::vector<double> ns; // a packet, by sample
    std::uint64_t turns{0};
    std::uint64_t long_turns{0};
    std::uint64_t longest_turn{0}; // ticks
};

/// The worker's thread: turns it between source and sink until it is stopped.
class Forwarder {
  public:
    Forwarder(const Options& options, Gateway& gateway, Ends& ends, double per_ns)
        : options_(options), gateway_(gateway), ends_(ends), per_ns_(per_ns),
          thread_([this] { run(); }) {}

    ~Forwarder() { stop(); }

    Forwarder(const Forwarder&) = delete;
    Forwarder& operator=(const Forwarder&) = delete;

    void enter(Phase phase) { phase_.store(phase, std::memory_order_relaxed); }

    void stop() {
        stop_.store(true, std::memory_order_relaxed);
        if (thread_.joinable())
            thread_.join();
    }

    /// After stop().
    [[nodiscard]] const Traffic& during(Phase phase) const {
        return traffic_[static_cast<std::size_t>(phase)];
    }

  private:
    static constexpr double kQueueFullNs = 1024 / 14.88e-3;

    [[nodiscard]] Phase phase() const { return phase_.load(std::memory_order_relaxed); }

    void run() {
        if (!pin_to_core(options_.core))
            die("there is no core " + std::to_string(options_.core));
        start_sample();
        while (!stop_.load(std::memory_order_relaxed))
            timed_turn();
        ends_.stop();
        for (unsigned packets = 0; packets <= kPackets; packets += dp::kRxBurst)
            gateway_.turn();
    }

    void timed_turn() {
        const std::uint64_t start = ticks(), stopped = ends_.stopped_ticks();
        gateway_.turn();
        const std::uint64_t took = ticks() - start - (ends_.stopped_ticks() - stopped);
        Traffic& traffic = traffic_[static_cast<std::size_t>(phase())];
        ++traffic.turns;
        traffic.longest_turn = std::max(traffic.longest_turn, took);
        if (static_cast<double>(took) > kQueueFullNs * per_ns_)
            ++traffic.long_turns;
    }

    /// One after the other; what a change of phase falls into belongs to neither.
    void start_sample() {
        const auto wanted = static_cast<std::uint64_t>(options_.sample_ms * 1e6 * per_ns_);
        ends_.start(options_.load, wanted, [this, during = phase()](const Ends::Sample& taken) {
            if (during == phase())
                traffic_[static_cast<std::size_t>(during)].ns.push_back(
                    static_cast<double>(taken.ticks) / per_ns_ /
                    static_cast<double>(taken.packets));
            start_sample();
        });
    }

    const Options& options_;
    Gateway& gateway_;
    Ends& ends_;
    double per_ns_;
    std::array<Traffic, kPhases> traffic_;
    std::atomic<Phase> phase_{Phase::Before};
    std::atomic<bool> stop_{false};
    std::thread thread_; // last: it uses what stands above
};

/// What control does, and how long that takes until the last Ack.
class Control {
  public:
    Control(const Options& options, CommandStream& commands)
        : options_(options), commands_(commands) {}

    void install() {
        for (std::uint32_t tunnel = options_.traffic; tunnel < options_.tunnels; ++tunnel)
            install_pair(tunnel, 0);
        settle();
    }

    void replace() {
        for (std::uint32_t tunnel = first_replaced(); tunnel < options_.tunnels; ++tunnel) {
            install_pair(tunnel, 1);
            remove_pair(tunnel, 0);
        }
        settle();
    }

    void remove() {
        for (std::uint32_t tunnel = options_.traffic; tunnel < options_.tunnels; ++tunnel)
            remove_pair(tunnel, 1);
        settle();
    }

    [[nodiscard]] std::uint32_t commands() const { return commands_.pushed(); }

  private:
    [[nodiscard]] std::uint32_t first_replaced() const {
        return options_.flow == Flow::Out ? 0 : options_.traffic;
    }

    /// The SA of a tunnel, first or second: same policy and selector, other slot, SPI and keys.
    [[nodiscard]] ipc::InstallSa
    sa(std::uint32_t tunnel, std::uint32_t generation, ipc::Direction direction) const {
        const auto of_slot = [&](std::uint32_t slot) {
            return make_sa(
                options_.suite, Encapsulation::Native, WorkerId{0}, slot, Side::Gateway, direction);
        };
        ipc::InstallSa made = of_slot(tunnel + generation * options_.tunnels);
        made.policy = tunnel;
        made.selector = of_slot(tunnel).selector;
        return made;
    }

    void install_pair(std::uint32_t tunnel, std::uint32_t generation) {
        // RFC 2409 5.5: able to receive before the peer can send.
        push(
            [&] { return commands_.try_install(sa(tunnel, generation, ipc::Direction::Inbound)); });
        push([&] {
            return commands_.try_install(sa(tunnel, generation, ipc::Direction::Outbound));
        });
    }

    void remove_pair(std::uint32_t tunnel, std::uint32_t generation) {
        for (const auto direction : {ipc::Direction::Outbound, ipc::Direction::Inbound})
            push([&] { return commands_.try_remove(sa(tunnel, generation, direction)); });
    }

    template <class TryPush> void push(TryPush try_push) {
        while (!try_push())
            commands_.take_acks();
    }

    void settle() {
        while (!commands_.settled())
            commands_.take_acks();
    }

    const Options& options_;
    CommandStream& commands_;
};

struct Work {
    std::uint32_t commands{0};
    double seconds{0};
};

class Bench {
  public:
    Bench(const Options& options, dp::MbufPool& pool)
        : options_(options), lan_(must(dp::EthPort::open({"lan", "net_null0,no-rx=1"}, pool, 1))),
          wan_(must(dp::EthPort::open({"wan", "net_null1,no-rx=1"}, pool, 1))), pool_(pool.get()),
          gateway_(spec()), per_ns_(ticks_per_ns()) {}

    void run() {
        const Resident at_first = resident();
        gateway_.protect(options_.tunnels);
        const Resident with_policies = resident();
        const bool out = options_.flow == Flow::Out;
        const dp::EthPort& from = out ? lan_ : wan_;
        const dp::EthPort& to = out ? wan_ : lan_;
        Ends ends{make_frame_writer(
                      {options_.suite, Encapsulation::Native, options_.flow, options_.traffic}),
                  pool_,
                  from.mac()};
        ends.be_sink_of(to.id());
        ends.be_source_of(from.id());
        Control control{options_, gateway_.commands()};
        if (!pin_to_core(options_.control_core))
            die("there is no core " + std::to_string(options_.control_core));
        {
            Forwarder forwarder{options_, gateway_, ends, per_ns_};
            print_heading();
            rest(forwarder, Phase::Before);
            const Resident before = resident();
            work(forwarder, control, Phase::Install, &Control::install);
            const Resident installed = resident();
            rest(forwarder, Phase::Loaded);
            work(forwarder, control, Phase::Replace, &Control::replace);
            work(forwarder, control, Phase::Remove, &Control::remove);
            work(forwarder, control, Phase::Again, &Control::install);
            rest(forwarder, Phase::After);
            forwarder.stop();
            for (std::size_t phase = 0; phase < kPhases; ++phase)
                print_row(Phase{static_cast<std::uint8_t>(phase)}, forwarder);
            print_memory(with_policies - at_first, installed - before);
            print_json(forwarder, with_policies - at_first, installed - before, ends);
        }
        const Ends::Sample& total = ends.total();
        std::printf("%lu packets, %lu lost\n", total.offered, total.offered - total.packets);
        if (total.offered != total.packets || gateway_.dropped() != 0)
            die("packets were lost");
    }

  private:
    static constexpr auto kRest = std::chrono::milliseconds{500};

    GatewaySpec spec() {
        return {options_.suite,
                Encapsulation::Native,
                options_.traffic,
                lan_.id(),
                wan_.id(),
                lan_.mac(),
                wan_.mac(),
                pool_,
                1,
                kGenerations * options_.tunnels};
    }

    static void rest(Forwarder& forwarder, Phase phase) {
        forwarder.enter(phase);
        std::this_thread::sleep_for(kRest);
    }

    void work(Forwarder& forwarder, Control& control, Phase phase, void (Control::*task)()) {
        forwarder.enter(phase);
        const std::uint32_t before = control.commands();
        const std::uint64_t start = now_ns();
        (control.*task)();
        work_[static_cast<std::size_t>(phase)] = {control.commands() - before,
                                                  static_cast<double>(now_ns() - start) / 1e9};
    }

    static void print_heading() {
        std::printf("%-8s %9s %8s %12s %26s %8s %12s %10s\n",
                    "phase",
                    "commands",
                    "ms",
                    "commands/s",
                    "ns/packet min median max",
                    "turns",
                    "longest us",
                    "> 69 us");
    }

    void print_row(Phase phase, const Forwarder& forwarder) const {
        const Traffic& traffic = forwarder.during(phase);
        const Work& work = work_[static_cast<std::size_t>(phase)];
        const Summary ns = summarize(traffic.ns);
        std::printf("%-8s %9u %8.0f %12.0f %10.1f %7.1f %7.1f %8lu %12.0f %10lu\n",
                    kPhaseNames[static_cast<std::size_t>(phase)],
                    work.commands,
                    work.seconds * 1e3,
                    rate(work),
                    ns.min,
                    ns.median,
                    ns.max,
                    traffic.turns,
                    longest_us(traffic),
                    traffic.long_turns);
    }

    static double rate(const Work& work) {
        return work.seconds > 0 ? work.commands / work.seconds : 0;
    }

    [[nodiscard]] double longest_us(const Traffic& traffic) const {
        return static_cast<double>(traffic.longest_turn) / per_ns_ / 1e3;
    }

    [[nodiscard]] double per_tunnel(double bytes) const {
        return bytes / (options_.tunnels - options_.traffic);
    }

    void print_memory(const Resident& policies, const Resident& sas) const {
        std::printf("octets a tunnel: %.0f for its policy, %.0f for its SAs (structs: %zu), "
                    "%.0f for their counters (structs: %zu)\n",
                    per_tunnel(policies.bytes()),
                    per_tunnel(sas.others_bytes),
                    sizeof(dp::InboundSa) + sizeof(dp::OutboundSa),
                    per_tunnel(sas.stats_bytes),
                    2 * sizeof(ipc::SaStats));
    }

    void print_json(const Forwarder& forwarder,
                    const Resident& policies,
                    const Resident& sas,
                    const Ends& ends) const {
        std::printf("{\"bench\":\"scale\",\"suite\":\"%s\",\"direction\":\"%s\",\"load\":\"%s\","
                    "\"traffic\":%u,\"tunnels\":%u,\"lost\":%lu,\"policy_bytes\":%.0f,"
                    "\"sas_bytes\":%.0f,\"counters_bytes\":%.0f",
                    options_.suite.name,
                    options_.flow == Flow::Out ? "out" : "in",
                    options_.load.name.c_str(),
                    options_.traffic,
                    options_.tunnels,
                    ends.total().offered - ends.total().packets,
                    per_tunnel(policies.bytes()),
                    per_tunnel(sas.others_bytes),
                    per_tunnel(sas.stats_bytes));
        for (std::size_t i = 0; i < kPhases; ++i) {
            const Traffic& traffic = forwarder.during(Phase{static_cast<std::uint8_t>(i)});
            std::printf(",\"%s\":{\"commands_per_s\":%.0f,%s,\"longest_turn_us\":%.1f,"
                        "\"long_turns\":%lu}",
                        kPhaseNames[i],
                        rate(work_[i]),
                        json("ns", summarize(traffic.ns)).c_str(),
                        longest_us(traffic),
                        traffic.long_turns);
        }
        std::printf("}\n");
    }

    const Options& options_;
    dp::EthPort lan_, wan_;
    rte_mempool* pool_;
    Gateway gateway_;
    double per_ns_;
    std::array<Work, kPhases> work_{};
};

} // namespace
} // namespace adit::perf

int main(int argc, char** argv) {
    using namespace adit::perf;
    namespace dp = adit::dataplane;
    const Options options = parse(argc, argv);
    const dp::Eal eal =
        start_eal("bench-scale", options.core, options.hugepages, options.memory_mb);
    auto pool = must(dp::MbufPool::create("packets", dp::PoolPlan::fill(options.memory_mb, 2048)));
    Bench{options, pool}.run();
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
// How much of raw IPsec-MB speed does a whole worker keep, from receiving a frame to sending it?
//
// One run measures one suite, direction and number of tunnels, taking turns for every load:
//
//   adit     Worker::turn() between source and sink (ends.h): every stage there is
//   forward  the same worker without a policy, on the same frames in clear
//   ends     source to sink and nothing in between: what the ends themselves cost
//   raw      the library alone (raw_library.h)
//
// One JSON line per contestant and load, in nanoseconds a packet. perf/run makes tables of them.
#include "perf/command_line.h"
#include "perf/ends.h"
#include "perf/gateway.h"
#include "perf/harness.h"
#include "perf/raw_library.h"

#include "dataplane/eal.h"
#include "dataplane/eth_port.h"
#include "dataplane/mbuf_pool.h"

#include <boost/program_options.hpp>
#include <optional>
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <sstream>
#include <string>
#include <vector>

namespace adit::perf {
namespace {

namespace dp = dataplane;
namespace po = boost::program_options;

struct Options {
    Suite suite{};
    Encapsulation form{};
    Flow flow{};
    std::uint32_t tunnels{};
    std::vector<Load> loads;
    double sample_ms{};
    unsigned core{};
    std::uint32_t memory_mb{};
    dp::Hugepages hugepages{};
    std::string only; // one contestant, empty: all
};

Options parse(int argc, char** argv) {
    std::string form, loads;
    Options options;
    CommandLine line{"bench-worker"};
    auto add = line.add_options();
    add("form", po::value(&form)->default_value("native"), "native or udp");
    add("tunnels", po::value(&options.tunnels)->default_value(1), "SAs a direction");
    add("loads", po::value(&loads)->default_value("64,imix,512,1400"), "sizes of inner packets");
    add("sample-ms", po::value(&options.sample_ms)->default_value(20), "length of a sample");
    add("core", po::value(&options.core)->default_value(1), "CPU to run on");
    add("only", po::value(&options.only), "one contestant: adit, forward, ends or raw");
    line.parse(argc, argv);
    if (form != "native" && form != "udp")
        line.refuse("--form is native or udp");
    if (options.tunnels == 0 || options.tunnels > kMaxSaSlots)
        line.refuse("--tunnels is 1 to " + std::to_string(kMaxSaSlots));
    std::istringstream words{loads};
    for (std::string word; std::getline(words, word, ',');)
        options.loads.push_back(line.load(word));
    options.suite = line.suite;
    options.flow = line.flow;
    options.form = form == "udp" ? Encapsulation::Udp : Encapsulation::Native;
    options.memory_mb = line.memory_mb;
    options.hugepages = line.hugepages;
    return options;
}

/// One measurement world: ports, ends, and what stands between them.
class Bench {
  public:
    Bench(const Options& options, dp::MbufPool& pool)
        : options_(options), lan_(must(dp::EthPort::open({"lan", "net_null0,no-rx=1"}, pool, 1))),
          wan_(must(dp::EthPort::open({"wan", "net_null1,no-rx=1"}, pool, 1))), pool_(pool.get()),
          sealed_(frames(options.flow)), clear_(frames(Flow::Out)), gateway_(spec()),
          raw_(options.suite, options.tunnels), per_ns_(ticks_per_ns()) {}

    void run() {
        for (const Load& load : options_.loads) {
            const bool out = options_.flow == Flow::Out;
            compete("adit", load, [&] {
                gateway_.take_part_ticks();
                return sample(
                    out ? clear_ : sealed_, out, load, ticks_wanted(), [&] { gateway_.turn(); });
            });
            if (options_.only.empty() || options_.only == "adit")
                print_parts(load);
            compete("forward", load, [&] {
                gateway_.apply(Gateway::Policies::Off);
                const double ns =
                    sample(clear_, true, load, ticks_wanted(), [&] { gateway_.turn(); });
                gateway_.apply(Gateway::Policies::On);
                return ns;
            });
            // Nearly all of this one's time is spent with the clock stopped.
            compete("ends", load, [&] {
                return sample(clear_, true, load, ticks_wanted() / 50, [&] { pass_through(); });
            });
            compete("raw", load, [&] {
                return raw_.run(load, options_.flow, ticks_wanted()) / per_ns_;
            });
        }
        if (gateway_.dropped() != 0)
            die("packets were dropped: the figures mean nothing");
    }

  private:
    template <class Measure>
    void compete(const char* contestant, const Load& load, const Measure& measure) const {
        if (options_.only.empty() || options_.only == contestant)
            print(contestant, load, measure());
    }

    std::unique_ptr<FrameWriter> frames(Flow flow) const {
        return make_frame_writer({options_.suite, options_.form, flow, options_.tunnels});
    }

    GatewaySpec spec() {
        return {options_.suite,
                options_.form,
                options_.tunnels,
                lan_.id(),
                wan_.id(),
                lan_.mac(),
                wan_.mac(),
                pool_};
    }

    [[nodiscard]] std::uint64_t ticks_wanted() const {
        return static_cast<std::uint64_t>(options_.sample_ms * 1e6 * per_ns_);
    }

    template <class Turn>
    double sample(std::unique_ptr<FrameWriter>& writer,
                  bool out,
                  const Load& load,
                  std::uint64_t ticks,
                  Turn turn) {
        const dp::EthPort& in_port = out ? lan_ : wan_;
        const dp::EthPort& out_port = out ? wan_ : lan_;
        Ends ends{std::move(writer), pool_, in_port.mac()};
        ends.be_sink_of(out_port.id());
        ends.be_source_of(in_port.id());
        source_ = in_port.id();
        sink_ = out_port.id();
        double ns = 0;
        ends.start(load, ticks, [&](const Ends::Sample& taken) {
            ns = static_cast<double>(taken.ticks) / per_ns_ / static_cast<double>(taken.packets);
        });
        while (ends.running())
            turn();
        turn();
        turn(); // what a program holds back
        writer = ends.take_writer();
        return ns;
    }

    void pass_through() const {
        rte_mbuf* packets[dp::kRxBurst];
        const std::uint16_t count = rte_eth_rx_burst(source_, 0, packets, dp::kRxBurst);
        rte_eth_tx_burst(sink_, 0, packets, count);
    }

    [[nodiscard]] std::string about(const Load& load) const {
        char text[256];
        std::snprintf(text,
                      sizeof text,
                      "\"suite\":\"%s\",\"form\":\"%s\",\"direction\":\"%s\",\"tunnels\":%u,"
                      "\"load\":\"%s\",\"octets\":%.1f",
                      options_.suite.name,
                      options_.form == Encapsulation::Udp ? "udp" : "native",
                      options_.flow == Flow::Out ? "out" : "in",
                      options_.tunnels,
                      load.name.c_str(),
                      load.mean);
        return text;
    }

    void print(const char* contestant, const Load& load, double ns) const {
        std::printf(
            "{\"contestant\":\"%s\",%s,\"ns\":%.2f}\n", contestant, about(load).c_str(), ns);
        std::fflush(stdout);
    }

    /// Nanoseconds a packet in each part of the turns of "adit".
    void print_parts(const Load& load) {
        std::printf("{\"parts\":\"adit\",%s", about(load).c_str());
        const auto ticks = gateway_.take_part_ticks();
        for (std::size_t i = 0; i < ticks.size(); ++i)
            if (ticks[i] > 0)
                std::printf(",\"%s\":%.2f", ipc::kWorkerPartNames[i], ticks[i] / per_ns_);
        std::printf("}\n");
    }

    Options options_;
    dp::EthPort lan_, wan_;
    rte_mempool* pool_;
    std::unique_ptr<FrameWriter> sealed_, clear_;
    Gateway gateway_;
    RawLibrary raw_;
    double per_ns_;
    std::uint16_t source_{0}, sink_{0};
};

} // namespace
} // namespace adit::perf

int main(int argc, char** argv) {
    using namespace adit::perf;
    const Options options = parse(argc, argv);
    const dp::Eal eal =
        start_eal("bench-worker", options.core, options.hugepages, options.memory_mb);
    auto pool = must(dp::MbufPool::create("packets", dp::PoolPlan::fill(options.memory_mb, 2048)));
    Bench{options, pool}.run();
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
// Preloaded into ipsec-secgw (LD_PRELOAD): Adit's own source, sink and stopwatch (perf/ends.h) take
// the place of the drivers of its two ports as soon as both are started. Every load is measured in
// turn, one JSON line each, then the process ends.
//
//   {"load":"64","ns":<of the sample>,"packets":<that reached the sink>,"offered":<by the source>}
//
// with "error" besides when more than 1 % were lost. The plan comes in the environment:
//
//   ADIT_PERF_SUITE  ADIT_PERF_TUNNELS  perf/topology.h
//   ADIT_PERF_FLOW                      out: from port 0 to port 1; in: from port 1 to port 0
//   ADIT_PERF_LOADS                     perf/loads.h, with commas between
//   ADIT_PERF_SAMPLE_MS                 clock time of one sample
//   ADIT_PERF_RESULT                    file to write
//   ADIT_PERF_PRIORITY                  of SCHED_FIFO while measuring, 0: ordinary scheduling
//
// Threading: secgw's main thread sets up and, as its only lcore, polls.
#include "perf/ends.h"
#include "perf/harness.h"

#include <charconv>
#include <cinttypes>
#include <cstdarg>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <memory>
#include <ranges>
#include <rte_ethdev.h>
#include <sched.h>
#include <string>
#include <unistd.h>
#include <vector>

namespace adit::perf {

namespace {

/// A gateway that loses more than this is not carrying the load: its time is no figure.
constexpr unsigned kMaxLossPercent = 1;

[[noreturn, gnu::format(printf, 1, 2)]] void fail(const char* format, ...) {
    std::va_list words;
    va_start(words, format);
    std::fprintf(stderr, "adit-secgw-ends: ");
    std::vfprintf(stderr, format, words);
    std::fputc('\n', stderr);
    ::_exit(EXIT_FAILURE); // secgw's exit handlers know nothing of us
}

const char* text_of(const char* variable) {
    const char* text = std::getenv(variable);
    if (text == nullptr)
        fail("%s is not set; see perf/secgw/run", variable);
    return text;
}

std::uint32_t number_of(const char* variable, std::uint32_t least = 1) {
    const std::string_view text = text_of(variable);
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size() || number < least)
        fail("%s must be a number from %u, not '%s'", variable, least, text.data());
    return number;
}

Suite suite_of(const char* variable) {
    const char* name = text_of(variable);
    const Suite* suite = find_suite(name);
    if (suite == nullptr)
        fail("%s: no suite '%s'; see perf/topology.h", variable, name);
    return *suite;
}

Flow flow_of(const char* variable) {
    const std::string_view name = text_of(variable);
    if (name != "out" && name != "in")
        fail("%s must be out or in, not '%s'", variable, name.data());
    return name == "out" ? Flow::Out : Flow::In;
}

std::vector<Load> loads_of(const char* variable) {
    std::vector<Load> loads;
    for (const auto word : std::string_view{text_of(variable)} | std::views::split(',')) {
        const std::string name(word.begin(), word.end());
        const std::optional<Load> load = find_load(name);
        if (!load)
            fail("%s: no load '%s'; see perf/loads.h", variable, name.c_str());
        loads.push_back(*load);
    }
    return loads;
}

/// All loads of the plan, one after the other, on the two ports of a program that polls them.
class Measurement {
  public:
    Measurement()
        : spec_{.suite = suite_of("ADIT_PERF_SUITE"),
                .form = Encapsulation::Native, // secgw does UDP in hardware only
                .flow = flow_of("ADIT_PERF_FLOW"),
                .tunnels = number_of("ADIT_PERF_TUNNELS")},
          loads_(loads_of("ADIT_PERF_LOADS")), ticks_per_ns_(ticks_per_ns()),
          sample_ns_(number_of("ADIT_PERF_SAMPLE_MS") * 1e6),
          priority_(number_of("ADIT_PERF_PRIORITY", 0)),
          results_(std::fopen(text_of("ADIT_PERF_RESULT"), "w")) {
        if (results_ == nullptr)
            fail("ADIT_PERF_RESULT: %s: %s", text_of("ADIT_PERF_RESULT"), std::strerror(errno));
    }

    /// The ports must be started; frames are made in buffers of `pool`.
    void begin(rte_mempool* pool) {
        const std::uint16_t source = spec_.flow == Flow::Out ? kLan : kWan;
        rte_ether_addr address{};
        rte_eth_macaddr_get(source, &address);
        wire::MacAddress gateway{};
        std::memcpy(gateway.octets.data(), address.addr_bytes, gateway.octets.size());
        ends_ = std::make_unique<Ends>(make_frame_writer(spec_), pool, gateway);
        ends_->be_source_of(source);
        ends_->be_sink_of(spec_.flow == Flow::Out ? kWan : kLan);
        raise_priority();
        measure(0);
    }

  private:
    void raise_priority() const {
        const sched_param priority{.sched_priority = static_cast<int>(priority_)};
        if (priority_ != 0 && ::sched_setscheduler(0, SCHED_FIFO, &priority) != 0)
            fail("SCHED_FIFO, priority %u: %s", priority_, std::strerror(errno));
    }

    void measure(std::size_t index) {
        const auto ticks = static_cast<std::uint64_t>(sample_ns_ * ticks_per_ns_);
        ends_->start(loads_[index], ticks, [this, index](const Ends::Sample& sample) {
            report(loads_[index], sample);
            if (index + 1 == loads_.size())
                end();
            measure(index + 1); // last: it replaces this very function
        });
    }

    void report(const Load& load, const Ends::Sample& sample) {
        std::fprintf(results_,
                     R"({"load":"%s","ns":%.0f,"packets":%)" PRIu64 R"(,"offered":%)" PRIu64,
                     load.name.c_str(),
                     static_cast<double>(sample.ticks) / ticks_per_ns_,
                     sample.packets,
                     sample.offered);
        if (sample.packets * 100 < sample.offered * (100 - kMaxLossPercent))
            std::fprintf(results_,
                         R"(,"error":"%)" PRIu64 R"( packets lost")",
                         sample.offered - sample.packets);
        std::fprintf(results_, "}\n");
    }

    [[noreturn]] void end() {
        std::fclose(results_);
        ::_exit(EXIT_SUCCESS); // secgw would go on polling
    }

    FrameSpec spec_;
    std::vector<Load> loads_;
    double ticks_per_ns_;
    double sample_ns_;
    std::uint32_t priority_;
    std::FILE* results_;
    std::unique_ptr<Ends> ends_;
};

/// The function that the one of the same name below stands before.
template <class Function> Function* next_of(const char* name) {
    void* found = ::dlsym(RTLD_NEXT, name);
    if (found == nullptr)
        fail("%s: not in this program: %s", name, ::dlerror());
    return reinterpret_cast<Function*>(found);
}

rte_mempool* pool_of_secgw = nullptr;

} // namespace

} // namespace adit::perf

// Interposed between secgw and librte_ethdev; linkage and types are DPDK's.

using adit::perf::next_of;

/// secgw insists on a NIC that checks and writes IPv4 checksums. Ours neither checks nor writes: it
/// gets for free what a NIC would do for it.
int rte_eth_dev_info_get(std::uint16_t port, rte_eth_dev_info* info) {
    static auto* const next = next_of<decltype(rte_eth_dev_info_get)>("rte_eth_dev_info_get");
    const int result = next(port, info);
    if (result == 0) {
        info->rx_offload_capa |= RTE_ETH_RX_OFFLOAD_CHECKSUM;
        info->tx_offload_capa |= RTE_ETH_TX_OFFLOAD_IPV4_CKSUM;
    }
    return result;
}

int rte_eth_rx_queue_setup(std::uint16_t port,
                           std::uint16_t queue,
                           std::uint16_t descriptors,
                           unsigned socket,
                           const rte_eth_rxconf* config,
                           rte_mempool* pool) {
    static auto* const next = next_of<decltype(rte_eth_rx_queue_setup)>("rte_eth_rx_queue_setup");
    adit::perf::pool_of_secgw = pool;
    return next(port, queue, descriptors, socket, config, pool);
}

int rte_eth_dev_start(std::uint16_t port) {
    static auto* const next = next_of<decltype(rte_eth_dev_start)>("rte_eth_dev_start");
    const int result = next(port);
    if (result == 0 && port == adit::perf::kWan) { // the LAN's port came first
        static adit::perf::Measurement measurement;
        measurement.begin(adit::perf::pool_of_secgw);
    }
    return result;
}

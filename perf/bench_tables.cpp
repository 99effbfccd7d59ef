// SPDX-License-Identifier: Apache-2.0
// Question: how long is the housekeeper busy when control publishes 100,000 policies or routes, how
// large do the tables get, how long does a look-up of a route take?
//
// A round stages every record, publishes, and frees the tables as reclaim() does; each is timed
// by itself. Look-ups: 4,096 destinations drawn at random over all routes. Sets:
//
//   policies   100,000 pairs of /24
//   denies     50,000 entries of a deny and a permit line
//   /24        100,000 routes to neighbouring /24
//   /32        100,000 routes to hosts of one /15, as an address pool makes them
//   scattered  100,000 routes to hosts anywhere in 10.0.0.0/8
//
//   bench-tables [--core N] [--repeats N]
#include "dataplane/tables.h"
#include "perf/harness.h"

#include <cstdlib>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace adit::perf {
namespace {

using namespace adit::dataplane;

constexpr std::uint32_t kRecords = 100'000;
constexpr std::size_t kFlows = 4096;
constexpr std::uint32_t kGateway = 192U << 24 | 2U << 8 | 2;

struct Options {
    unsigned core{1};
    unsigned repeats{11};
};

struct Records {
    std::vector<ipc::SetPolicy> policies;
    std::vector<ipc::SetRoute> routes;
};

void add_policy(Records& to, ipc::PolicyAction action, std::uint32_t entry, std::uint32_t local) {
    const auto number = static_cast<std::uint32_t>(to.policies.size());
    ipc::SetPolicy record{};
    record.policy = number;
    record.order = number;
    record.interface = 0;
    record.entry = entry;
    record.action = static_cast<std::uint8_t>(action);
    record.selector.local_first = local;
    record.selector.local_last = local | 0xff;
    record.selector.remote_first = (64U << 24) + (entry << 8);
    record.selector.remote_last = record.selector.remote_first | 0xff;
    record.selector.local_port_last = 0xffff;
    record.selector.remote_port_last = 0xffff;
    to.policies.push_back(record);
}

Records policies() {
    Records records;
    for (std::uint32_t i = 0; i < kRecords; ++i)
        add_policy(records, ipc::PolicyAction::Protect, i, 10U << 24 | (i % 256) << 8);
    return records;
}

Records policies_with_denies() {
    Records records;
    for (std::uint32_t i = 0; i < kRecords / 2; ++i) {
        add_policy(records, ipc::PolicyAction::Bypass, i, 10U << 24);
        add_policy(records, ipc::PolicyAction::Protect, i, 10U << 24 | (i % 256) << 8);
    }
    return records;
}

template <class Prefix> Records routes(std::uint8_t length, Prefix prefix) {
    Records records;
    for (std::uint32_t i = 0; i < kRecords; ++i) {
        ipc::SetRoute record{};
        record.prefix = prefix(i);
        record.prefix_length = length;
        record.interface = 0;
        record.next_hop = kGateway;
        records.routes.push_back(record);
    }
    return records;
}

Records scattered_routes() {
    std::mt19937 random{1};
    return routes(32, [&](std::uint32_t) {
        return 10U << 24 | static_cast<std::uint32_t>(random() % (1U << 24));
    });
}

struct Set {
    const char* name;
    Records records;
    std::vector<double> stage_ms{}, publish_ms{}, free_ms{}, lookup_ns{};
    double mebibytes{0};
};

double ms_since(std::uint64_t start) {
    return static_cast<double>(now_ns() - start) / 1e6;
}

/// All destinations once; the sum keeps the compiler from leaving it out.
double lookup_ns(const RouteTable& table, const std::vector<std::uint32_t>& destinations) {
    std::uint32_t found = 0;
    for (const std::uint32_t destination : destinations) // warms up
        found += table.lookup(destination).interface;
    const std::uint64_t start = now_ns();
    for (const std::uint32_t destination : destinations)
        found += table.lookup(destination).interface;
    const auto elapsed = static_cast<double>(now_ns() - start);
    ENSURE(found == 0); // all by interface 0
    return elapsed / static_cast<double>(destinations.size());
}

void run_round(Set& set) {
    TableBuilder builder{{1500}, kRecords};
    builder.begin();
    builder.set(ipc::SetInterface{.interface = 0,
                                  .prefix_length = 24,
                                  .flags = ipc::kInterfaceUp,
                                  .address = kGateway - 1,
                                  .ip_mtu = 1500});
    std::uint64_t start = now_ns();
    for (const ipc::SetPolicy& record : set.records.policies)
        ENSURE(builder.set(record) == Verdict{});
    for (const ipc::SetRoute& record : set.records.routes)
        ENSURE(builder.set(record) == Verdict{});
    set.stage_ms.push_back(ms_since(start));
    start = now_ns();
    TableBuilder::Published published = builder.publish();
    set.publish_ms.push_back(ms_since(start));
    ENSURE(published.tables != nullptr);
    const Tables& tables = *published.tables;
    set.mebibytes =
        static_cast<double>(tables.policies[0].memory() + tables.routes.memory()) / (1U << 20);
    if (!set.records.routes.empty()) {
        std::mt19937 random{1};
        std::vector<std::uint32_t> destinations;
        for (std::size_t i = 0; i < kFlows; ++i)
            destinations.push_back(set.records.routes[random() % kRecords].prefix);
        set.lookup_ns.push_back(lookup_ns(tables.routes, destinations));
    }
    start = now_ns();
    published.tables.reset();
    set.free_ms.push_back(ms_since(start));
}

Options parse(int argc, char** argv) {
    Options options;
    for (int i = 1; i + 1 < argc; i += 2) {
        const auto value = static_cast<unsigned>(std::atoi(argv[i + 1]));
        if (std::string_view{argv[i]} == "--core")
            options.core = value;
        else if (std::string_view{argv[i]} == "--repeats")
            options.repeats = value;
    }
    return options;
}

int run(int argc, char** argv) {
    const Options options = parse(argc, argv);
    if (!pin_to_core(options.core)) {
        std::fprintf(
            stderr, "bench-tables: there is no core %u; choose one by --core\n", options.core);
        return 1;
    }
    std::vector<Set> sets;
    sets.push_back({"policies", policies()});
    sets.push_back({"denies", policies_with_denies()});
    sets.push_back({"/24", routes(24, [](std::uint32_t i) { return (64U << 24) + (i << 8); })});
    sets.push_back({"/32", routes(32, [](std::uint32_t i) { return (10U << 24) + i; })});
    sets.push_back({"scattered", scattered_routes()});
    for (unsigned round = 0; round < options.repeats; ++round)
        for (Set& set : sets)
            run_round(set);
    std::printf("%-10s %10s %12s %10s %8s %12s\n",
                "100,000",
                "stage ms",
                "publish ms",
                "free ms",
                "MiB",
                "look-up ns");
    std::string line = "{\"bench\":\"tables\",\"rows\":[";
    for (const Set& set : sets) {
        const Summary stage = summarize(set.stage_ms);
        const Summary publish = summarize(set.publish_ms);
        const Summary freed = summarize(set.free_ms);
        const Summary lookup = summarize(set.lookup_ns);
        std::printf("%-10s %10.1f %12.1f %10.1f %8.1f %12.1f\n",
                    set.name,
                    stage.median,
                    publish.median,
                    freed.median,
                    set.mebibytes,
                    lookup.median);
        line += std::string{line.back() == '[' ? "" : ","} + "{\"set\":\"" + set.name + "\"," +
                json("stage_ms", stage) + "," + json("publish_ms", publish) + "," +
                json("free_ms", freed) + "," + json("lookup_ns", lookup) + "}";
    }
    std::printf("%s]}\n", line.c_str());
    return 0;
}

} // namespace
} // namespace adit::perf

int main(int argc, char** argv) {
    return adit::perf::run(argc, argv);
}

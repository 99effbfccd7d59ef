// SPDX-License-Identifier: Apache-2.0
// Question: what does it cost to find the policy of a packet among 1 to 100,000 of them?
//
//   linear     line by line, as crypto maps are defined; up to 10,000 lines
//   adit       PolicyTable::match
//   adit 2x    bursts of 32, prefetched before they are matched
//   rte_acl    DPDK's classifier, bursts of 32, its best instructions
//
// Timed: look-ups of 65,536 flows drawn at random over all lines, after one pass that warms up;
// "cold": of single bursts after other data has taken L1 and L2, the flows included. Flows are
// computed before the clock starts. All contestants must agree on every flow. Sets:
//
//   tunnels    10.x.y.0/24 to a /24 of the peer's, one line an entry
//   mixed      the same in six pairs of prefix lengths, one after another
//   denies     each entry denies one host of its own, then permits its pair of /24
//   ports      each entry permits two TCP ports, UDP 5060..5070 and GRE of one pair of /24
//
// rte_acl knows no `deny` that skips an entry: its rule says "bypass" at once, which agrees here
// because no flow has lines in two entries.
//
//   bench-policy [--core N] [--repeats N] [--most-lines N] [-- EAL arguments]
#include "dataplane/policy_table.h"
#include "perf/harness.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdlib>
#include <functional>
#include <memory>
#include <random>
#include <rte_acl.h>
#include <rte_eal.h>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace adit::perf {
namespace {

using namespace adit::dataplane;

constexpr std::size_t kFlows = 65'536;      // enough to visit most lines of the largest set
constexpr std::size_t kLinearFlows = 2'048; // of them, or a round would take a second
constexpr std::size_t kBurst = 32;
/// Shorter than a slice of the scheduler: on a busy machine most samples run undisturbed.
constexpr std::uint64_t kSampleNs = 200'000;
constexpr std::size_t kCacheOctets = 4U << 20; // several times the usual L2
constexpr std::size_t kMostLinear = 10'000;    // lines; more would take minutes
constexpr std::uint32_t kSizes[] = {1, 10, 100, 1'000, 10'000, 100'000};

struct Options {
    unsigned core{1};
    unsigned repeats{101};
    std::uint32_t most_lines{100'000};
    std::vector<std::string> eal;
};

// ---------------------------------------------------------------------------------------------------
// policies and flows

struct Load {
    std::vector<PolicyLine> lines;
    std::vector<Flow> flows;
};

struct Set {
    const char* name;
    void (*add_entry)(std::uint32_t entry, Load& to);
};

Ipv4Range prefix(std::uint32_t address, unsigned length) {
    return Ipv4Range::of(
        {Ipv4Address{address & mask_of_length(length)}, static_cast<std::uint8_t>(length)});
}

/// Of entry n: ours 10.x.y.0, theirs 64 + n as a /24.
std::uint32_t local_net(std::uint32_t entry) {
    return 10U << 24 | (entry % 256) << 8;
}

std::uint32_t remote_net(std::uint32_t entry) {
    return (64U << 24) + (entry << 8);
}

void add_line(Load& to, std::uint32_t entry, ipc::PolicyAction action, TrafficSelector selector) {
    const auto number = static_cast<std::uint32_t>(to.lines.size());
    to.lines.push_back({number, PolicyId{number}, action, entry, selector});
}

void add_tunnel(std::uint32_t entry, Load& to) {
    add_line(to,
             entry,
             ipc::PolicyAction::Protect,
             {prefix(local_net(entry), 24), prefix(remote_net(entry), 24)});
}

void add_mixed(std::uint32_t entry, Load& to) {
    constexpr std::pair<unsigned, unsigned> kLengths[] = {
        {24, 24}, {16, 24}, {24, 28}, {24, 32}, {32, 32}, {0, 24}};
    const auto [local, remote] = kLengths[entry % std::size(kLengths)];
    add_line(to,
             entry,
             ipc::PolicyAction::Protect,
             {prefix(local_net(entry), local), prefix(remote_net(entry), remote)});
}

void add_with_deny(std::uint32_t entry, Load& to) {
    add_line(to,
             entry,
             ipc::PolicyAction::Bypass,
             {prefix(local_net(entry) + 1, 32), prefix(remote_net(entry), 24)});
    add_tunnel(entry, to);
}

void add_with_ports(std::uint32_t entry, Load& to) {
    const Ipv4Range local = prefix(local_net(entry), 24);
    const Ipv4Range remote = prefix(remote_net(entry), 24);
    constexpr auto kProtect = ipc::PolicyAction::Protect;
    add_line(to, entry, kProtect, {local, remote, 6, {}, {443, 443}});
    add_line(to, entry, kProtect, {local, remote, 6, {22, 22}, {}});
    add_line(to, entry, kProtect, {local, remote, 17, {5060, 5070}, {5060, 5070}});
    add_line(to, entry, kProtect, {local, remote, 47, {}, {}});
}

constexpr Set kSets[] = {
    {"tunnels", add_tunnel},
    {"mixed", add_mixed},
    {"denies", add_with_deny},
    {"ports", add_with_ports},
};

/// Takes `line`, unless a bypass before it does.
Flow flow_of(const PolicyLine& line, std::mt19937& random) {
    const auto within = [&](std::uint32_t first, std::uint32_t last) {
        return std::uniform_int_distribution<std::uint32_t>{first, last}(random);
    };
    const TrafficSelector& s = line.selector;
    return {within(s.local.first.value, s.local.last.value),
            within(s.remote.first.value, s.remote.last.value),
            static_cast<std::uint16_t>(within(s.local_port.first, s.local_port.last)),
            static_cast<std::uint16_t>(within(s.remote_port.first, s.remote_port.last)),
            s.protocol != 0 ? s.protocol : std::uint8_t{6}};
}

Load load_of(const Set& set, std::uint32_t lines) {
    Load load;
    for (std::uint32_t entry = 0; load.lines.size() < lines; ++entry)
        set.add_entry(entry, load);
    std::mt19937 random{lines};
    while (load.flows.size() < kFlows)
        load.flows.push_back(flow_of(load.lines[random() % load.lines.size()], random));
    return load;
}

// ---------------------------------------------------------------------------------------------------
// the contestants: all flows, the policy of each

using Answers = std::array<PolicyId, kFlows>;

class Linear {
  public:
    explicit Linear(const Load& load) : flows_(load.flows) {
        for (const PolicyLine& line : load.lines)
            lines_.push_back({line, number_of_next_entry(load.lines, line)});
    }

    void look_up(Answers& answers, std::size_t first, std::size_t end) const {
        for (std::size_t i = first; i < end; ++i)
            answers[i] = match(flows_[i]);
    }

  private:
    struct Line {
        Line(const PolicyLine& from, std::uint32_t next)
            : local_first(from.selector.local.first.value),
              local_width(from.selector.local.last.value - local_first),
              remote_first(from.selector.remote.first.value),
              remote_width(from.selector.remote.last.value - remote_first), selector(from.selector),
              action(from.action), policy(from.policy), next_entry(next) {}

        std::uint32_t local_first, local_width, remote_first, remote_width;
        TrafficSelector selector;
        ipc::PolicyAction action;
        PolicyId policy;
        std::uint32_t next_entry;
    };

    static std::uint32_t number_of_next_entry(const std::vector<PolicyLine>& lines,
                                              const PolicyLine& line) {
        std::uint32_t next = line.order;
        while (next < lines.size() && lines[next].entry == line.entry)
            ++next;
        return next;
    }

    static bool matches(const Line& line, const Flow& flow) {
        return flow.source - line.local_first <= line.local_width &&
               flow.destination - line.remote_first <= line.remote_width &&
               (line.selector.protocol == 0 || line.selector.protocol == flow.protocol) &&
               line.selector.local_port.contains(flow.source_port) &&
               line.selector.remote_port.contains(flow.destination_port);
    }

    PolicyId match(const Flow& flow) const {
        for (std::uint32_t i = 0; i < lines_.size();) {
            const Line& line = lines_[i];
            if (!matches(line, flow))
                ++i;
            else if (line.action == ipc::PolicyAction::Bypass)
                i = line.next_entry;
            else
                return line.policy;
        }
        return kNoPolicy;
    }

    const std::vector<Flow>& flows_;
    std::vector<Line> lines_;
};

class Adit {
  public:
    explicit Adit(const Load& load) : flows_(load.flows), table_(load.lines) {}

    void look_up(Answers& answers, std::size_t first, std::size_t end) const {
        for (std::size_t i = first; i < end; ++i)
            answers[i] = table_.match(flows_[i]).policy;
    }

    void look_up_in_two_passes(Answers& answers, std::size_t first, std::size_t end) const {
        for (; first < end; first += kBurst) {
            for (std::size_t i = first; i < first + kBurst; ++i)
                table_.prefetch(flows_[i]);
            for (std::size_t i = first; i < first + kBurst; ++i)
                answers[i] = table_.match(flows_[i]).policy;
        }
    }

    [[nodiscard]] std::size_t memory() const { return table_.memory(); }

  private:
    const std::vector<Flow>& flows_;
    PolicyTable table_;
};

class Acl {
  public:
    explicit Acl(const Load& load) {
        rte_acl_param param{};
        param.name = "bench";
        param.socket_id = SOCKET_ID_ANY;
        param.rule_size = RTE_ACL_RULE_SZ(kFields);
        param.max_rule_num = static_cast<std::uint32_t>(load.lines.size());
        context_.reset(rte_acl_create(&param));
        ENSURE(context_ != nullptr);
        for (const PolicyLine& line : load.lines) {
            const Rule rule = rule_of(line);
            // Rules are passed as the header of what follows it.
            ENSURE(rte_acl_add_rules(
                       context_.get(), reinterpret_cast<const rte_acl_rule*>(&rule), 1) == 0);
        }
        rte_acl_config config{};
        config.num_categories = 1;
        config.num_fields = kFields;
        config.defs[0] = {RTE_ACL_FIELD_TYPE_BITMASK, 1, 0, 0, offsetof(Key, protocol)};
        config.defs[1] = {RTE_ACL_FIELD_TYPE_MASK, 4, 1, 1, offsetof(Key, source)};
        config.defs[2] = {RTE_ACL_FIELD_TYPE_MASK, 4, 2, 2, offsetof(Key, destination)};
        config.defs[3] = {RTE_ACL_FIELD_TYPE_RANGE, 2, 3, 3, offsetof(Key, source_port)};
        config.defs[4] = {RTE_ACL_FIELD_TYPE_RANGE, 2, 4, 3, offsetof(Key, destination_port)};
        built_ = rte_acl_build(context_.get(), &config) == 0;
        for (const Flow& flow : load.flows)
            keys_.push_back({flow.protocol,
                             {},
                             __builtin_bswap32(flow.source),
                             __builtin_bswap32(flow.destination),
                             __builtin_bswap16(flow.source_port),
                             __builtin_bswap16(flow.destination_port)});
        for (const Key& key : keys_)
            data_.push_back(reinterpret_cast<const std::uint8_t*>(&key));
        for (const PolicyLine& line : load.lines)
            policies_.push_back(line.action == ipc::PolicyAction::Bypass ? kNoPolicy : line.policy);
        policies_.push_back(kNoPolicy);
    }

    /// False: rte_acl_build gave up.
    [[nodiscard]] bool built() const { return built_; }

    void look_up(Answers& answers, std::size_t first, std::size_t end) const {
        std::uint32_t results[kBurst];
        for (; first < end; first += kBurst) {
            auto** data = const_cast<const std::uint8_t**>(&data_[first]);
            rte_acl_classify(context_.get(), data, results, kBurst, 1);
            for (std::size_t i = 0; i < kBurst; ++i)
                answers[first + i] = policies_[results[i] - 1];
        }
    }

  private:
    static constexpr unsigned kFields = 5;

    RTE_ACL_RULE_DEF(Rule, kFields);

    /// What is classified, in network order. The first field has one octet.
    struct Key {
        std::uint8_t protocol;
        std::uint8_t unused[3];
        std::uint32_t source, destination;
        std::uint16_t source_port, destination_port;
    };

    struct Free {
        void operator()(rte_acl_ctx* context) const { rte_acl_free(context); }
    };

    static Rule rule_of(const PolicyLine& line) {
        const TrafficSelector& s = line.selector;
        const auto length = [](const Ipv4Range& range) {
            return static_cast<std::uint32_t>(
                std::countl_zero(range.first.value ^ range.last.value));
        };
        Rule rule{};
        rule.data = {
            1, static_cast<std::int32_t>(RTE_ACL_MAX_PRIORITY - line.order), line.order + 1};
        rule.field[0].value.u8 = s.protocol;
        rule.field[0].mask_range.u8 = s.protocol != 0 ? 0xff : 0;
        rule.field[1].value.u32 = s.local.first.value;
        rule.field[1].mask_range.u32 = length(s.local);
        rule.field[2].value.u32 = s.remote.first.value;
        rule.field[2].mask_range.u32 = length(s.remote);
        rule.field[3].value.u16 = s.local_port.first;
        rule.field[3].mask_range.u16 = s.local_port.last;
        rule.field[4].value.u16 = s.remote_port.first;
        rule.field[4].mask_range.u16 = s.remote_port.last;
        return rule;
    }

    std::unique_ptr<rte_acl_ctx, Free> context_;
    bool built_;
    std::vector<Key> keys_;
    std::vector<const std::uint8_t*> data_;
    std::vector<PolicyId> policies_; // by userdata - 1
};

// ---------------------------------------------------------------------------------------------------
// the measurement

struct Contestant {
    const char* name;
    std::function<void(Answers&, std::size_t first, std::size_t end)> look_up;
    double build_ms;
    std::size_t flows{kFlows};
    std::vector<double> ns{}, cold_ns{};
};

/// Whole passes over the flows for one sample; ns a look-up.
double sample(const Contestant& one, Answers& answers) {
    one.look_up(answers, 0, one.flows); // the contestant before may have taken the caches
    std::uint64_t passes = 0;
    const std::uint64_t start = now_ns();
    std::uint64_t elapsed = 0;
    do {
        one.look_up(answers, 0, one.flows);
        ++passes;
        elapsed = now_ns() - start;
    } while (elapsed < kSampleNs);
    return static_cast<double>(elapsed) / static_cast<double>(passes * one.flows);
}

/// Bursts here and there, each after a walk that has taken L1 and L2; ns a look-up.
double cold_sample(const Contestant& one, Answers& answers, double ticks_a_ns) {
    constexpr std::size_t kBursts = 16;
    constexpr std::size_t kWordsPerLine = 64 / sizeof(std::uint64_t);
    static std::vector<std::uint64_t> others_data(kCacheOctets / sizeof(std::uint64_t));
    std::uint64_t spent = 0;
    for (std::size_t i = 0; i < kBursts; ++i) {
        for (std::size_t word = 0; word < others_data.size(); word += kWordsPerLine)
            ++others_data[word];
        const std::size_t first = i * (one.flows / kBursts);
        const std::uint64_t start = ticks();
        one.look_up(answers, first, first + kBurst);
        spent += ticks() - start;
    }
    return static_cast<double>(spent) / ticks_a_ns / (kBursts * kBurst);
}

template <class T> std::pair<std::unique_ptr<T>, double> built(const Load& load) {
    const std::uint64_t start = now_ns();
    auto made = std::make_unique<T>(load);
    return {std::move(made), static_cast<double>(now_ns() - start) / 1e6};
}

std::string json_of(const Set& set, std::uint32_t size, const Contestant& one) {
    char text[320];
    std::snprintf(text,
                  sizeof text,
                  "{\"set\":\"%s\",\"lines\":%u,\"by\":\"%s\",\"build_ms\":%.3g,%s,%s}",
                  set.name,
                  size,
                  one.name,
                  one.build_ms,
                  json("ns", summarize(one.ns)).c_str(),
                  json("cold_ns", summarize(one.cold_ns)).c_str());
    return text;
}

void measure(const Set& set,
             std::uint32_t size,
             const Options& options,
             double ticks_a_ns,
             std::string& out) {
    const Load load = load_of(set, size);
    const auto [adit, adit_ms] = built<Adit>(load);
    const auto [acl, acl_ms] = built<Acl>(load);
    std::unique_ptr<Linear> linear;
    std::vector<Contestant> contestants;
    if (load.lines.size() <= kMostLinear) {
        linear = std::make_unique<Linear>(load);
        contestants.push_back(
            {"linear",
             [&](Answers& a, std::size_t i, std::size_t end) { linear->look_up(a, i, end); },
             0,
             kLinearFlows});
    }
    contestants.push_back(
        {"adit",
         [&](Answers& a, std::size_t i, std::size_t end) { adit->look_up(a, i, end); },
         adit_ms});
    contestants.push_back({"adit 2x",
                           [&](Answers& a, std::size_t i, std::size_t end) {
                               adit->look_up_in_two_passes(a, i, end);
                           },
                           adit_ms});
    if (acl->built())
        contestants.push_back(
            {"rte_acl",
             [&](Answers& a, std::size_t i, std::size_t end) { acl->look_up(a, i, end); },
             acl_ms});

    const auto expected = std::make_unique<Answers>();
    const auto answers = std::make_unique<Answers>();
    adit->look_up(*expected, 0, kFlows);
    for (const Contestant& one : contestants) {
        one.look_up(*answers, 0, one.flows);
        ENSURE(std::equal(answers->begin(), answers->begin() + one.flows, expected->begin()));
    }
    for (unsigned round = 0; round < options.repeats; ++round)
        for (Contestant& one : contestants)
            one.ns.push_back(sample(one, *answers));
    for (unsigned round = 0; round < options.repeats; ++round)
        for (Contestant& one : contestants)
            one.cold_ns.push_back(cold_sample(one, *answers, ticks_a_ns));
    for (const Contestant& one : contestants) {
        const Summary ns = summarize(one.ns);
        const Summary cold_ns = summarize(one.cold_ns);
        std::printf("%-8s %7u %-8s %8.2f %8.2f %8.2f %8.2f %8.2f %9.2f %9.1f\n",
                    set.name,
                    size,
                    one.name,
                    ns.median,
                    ns.min,
                    ns.max,
                    cold_ns.median,
                    cold_ns.min,
                    one.build_ms,
                    std::string_view{one.name}.starts_with("adit")
                        ? static_cast<double>(adit->memory()) / static_cast<double>(size)
                        : 0);
        out += (out.back() == '[' ? "" : ",") + json_of(set, size, one);
    }
    std::fflush(stdout);
}

Options parse(int argc, char** argv) {
    Options options;
    for (int i = 1; i < argc; ++i) {
        const std::string_view word = argv[i];
        if (word == "--") {
            options.eal.assign(argv + i + 1, argv + argc);
            break;
        }
        if (i + 1 < argc && word == "--core") {
            options.core = static_cast<unsigned>(std::atoi(argv[++i]));
        } else if (i + 1 < argc && word == "--repeats") {
            options.repeats = static_cast<unsigned>(std::atoi(argv[++i]));
        } else if (i + 1 < argc && word == "--most-lines") {
            options.most_lines = static_cast<std::uint32_t>(std::atoi(argv[++i]));
        } else {
            std::fprintf(stderr,
                         "usage: bench-policy [--core N] [--repeats N] [--most-lines N] "
                         "[-- EAL arguments]\n");
            std::exit(2);
        }
    }
    if (options.eal.empty()) // rte_acl uses AVX-512 only when told so
        options.eal = {"--no-huge",
                       "--no-pci",
                       "--no-shconf",
                       "--no-telemetry",
                       "--force-max-simd-bitwidth=512",
                       "-m",
                       "2048"};
    return options;
}

int run(int argc, char** argv) {
    const Options options = parse(argc, argv);
    std::vector<std::string> arguments{"bench-policy", "-l", std::to_string(options.core)};
    arguments.insert(arguments.end(), options.eal.begin(), options.eal.end());
    std::vector<char*> eal;
    for (std::string& argument : arguments)
        eal.push_back(argument.data());
    if (rte_eal_init(static_cast<int>(eal.size()), eal.data()) < 0) {
        std::fprintf(stderr, "bench-policy: EAL did not start\n");
        return 1;
    }
    std::printf("%-8s %7s %-8s %8s %8s %8s %8s %8s %9s %9s\n",
                "set",
                "lines",
                "by",
                "ns",
                "min",
                "max",
                "cold",
                "min",
                "build ms",
                "octets");
    const double ticks_a_ns = ticks_per_ns();
    std::string line = "{\"bench\":\"policy\",\"rows\":[";
    for (const Set& set : kSets)
        for (const std::uint32_t size : kSizes)
            if (size <= options.most_lines)
                measure(set, size, options, ticks_a_ns, line);
    std::printf("%s]}\n", line.c_str());
    rte_eal_cleanup();
    return 0;
}

} // namespace
} // namespace adit::perf

int main(int argc, char** argv) {
    return adit::perf::run(argc, argv);
}

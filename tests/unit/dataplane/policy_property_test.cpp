// SPDX-License-Identifier: Apache-2.0
// PolicyTable against the sentences in policy_table.h, read literally: random tables, random flows
// and flows at the edges of random lines. A failure prints its seed.
#include "dataplane/policy_table.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <initializer_list>
#include <ostream>
#include <random>
#include <utility>
#include <vector>

namespace adit::dataplane {

std::ostream& operator<<(std::ostream& out, const PolicyMatch& match) {
    return out << "action " << static_cast<unsigned>(match.action) << " policy "
               << match.policy.value;
}

namespace {

// --- the reference

bool matches(const PolicyLine& line, const Flow& flow) {
    const TrafficSelector& s = line.selector;
    if (!s.local.contains(Ipv4Address{flow.source}) ||
        !s.remote.contains(Ipv4Address{flow.destination}) ||
        (s.protocol != 0 && s.protocol != flow.protocol))
        return false;
    if (s.local_port.is_any() && s.remote_port.is_any())
        return true;
    if (!flow.ports_known)
        return line.action != ipc::PolicyAction::Bypass;
    return s.local_port.contains(flow.source_port) && s.remote_port.contains(flow.destination_port);
}

/// Line by line. `lines` stand in order.
PolicyMatch first_match(const std::vector<PolicyLine>& lines, const Flow& flow) {
    for (std::size_t i = 0; i < lines.size();) {
        if (!matches(lines[i], flow)) {
            ++i;
        } else if (lines[i].action != ipc::PolicyAction::Bypass) {
            return {lines[i].action, lines[i].policy};
        } else {
            const std::uint32_t denied = lines[i].entry;
            while (i < lines.size() && lines[i].entry == denied)
                ++i;
        }
    }
    return {};
}

// --- random tables

/// How much the lines of a table have to do with each other.
struct Shape {
    std::uint32_t spread;    // addresses lie in 10.0.0.0 + this
    unsigned max_entry;      // lines of one entry
    unsigned bypass_percent; // of the lines
    unsigned any_percent;    // of the lines: neither protocol nor ports
    std::vector<unsigned> lengths;
    unsigned range_percent; // of the address ranges are no prefixes
};

const Shape kTunnels{1U << 24, 4, 20, 80, {24, 24, 24, 16, 28, 32}, 2};
const Shape kCrowd{1U << 9, 12, 30, 40, {0, 8, 20, 23, 24, 26, 28, 30, 31, 32}, 30};
const Shape kLongEntries{1U << 12, 80, 50, 60, {20, 22, 24, 28, 32}, 10};
const Shape kEveryLength{0xffffffff,
                         3,
                         20,
                         80,
                         {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16,
                          17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32},
                         20};

class Generator {
  public:
    Generator(const Shape& shape, unsigned seed) : shape_(shape), random_(seed) {}

    std::vector<PolicyLine> table(std::uint32_t size) {
        std::vector<PolicyLine> lines;
        for (std::uint32_t entry = 1; lines.size() < size; ++entry)
            for (std::uint32_t left = 1 + below(shape_.max_entry); left > 0; --left)
                if (const auto number = static_cast<std::uint32_t>(lines.size()); number < size)
                    lines.push_back({number * 10, PolicyId{number}, action(), entry, selector()});
        return lines;
    }

    Flow random_flow() { return {address(), address(), port(), port(), protocol(), !chance(20)}; }

    /// In each field at an edge of the line, inside or just outside.
    Flow edge_flow(const PolicyLine& line) {
        const TrafficSelector& s = line.selector;
        const auto edge = [this](auto first, auto last) {
            switch (below(chance(80) ? 2 : 4)) {
            case 0:
                return first;
            case 1:
                return last;
            case 2:
                return static_cast<decltype(first)>(first - 1);
            default:
                return static_cast<decltype(first)>(last + 1);
            }
        };
        return {edge(s.local.first.value, s.local.last.value),
                edge(s.remote.first.value, s.remote.last.value),
                edge(s.local_port.first, s.local_port.last),
                edge(s.remote_port.first, s.remote_port.last),
                chance(80) && s.protocol != 0 ? s.protocol : protocol(),
                !chance(20)};
    }

    std::uint32_t below(std::uint32_t bound) {
        return static_cast<std::uint32_t>(random_()) % bound;
    }

  private:
    bool chance(unsigned percent) { return below(100) < percent; }

    std::uint32_t address() { return (10U << 24) + below(shape_.spread); }

    std::uint16_t port() { return static_cast<std::uint16_t>(chance(10) ? random_() : below(6)); }

    std::uint8_t protocol() {
        return std::uint8_t{chance(70) ? std::uint8_t{6} : std::uint8_t{17}};
    }

    ipc::PolicyAction action() {
        if (chance(shape_.bypass_percent))
            return ipc::PolicyAction::Bypass;
        return chance(80) ? ipc::PolicyAction::Protect : ipc::PolicyAction::Drop;
    }

    Ipv4Range range() {
        if (chance(shape_.range_percent)) {
            const auto [first, last] = std::minmax({address(), address()});
            return {Ipv4Address{first}, Ipv4Address{last}};
        }
        const unsigned length = shape_.lengths[below(static_cast<unsigned>(shape_.lengths.size()))];
        return Ipv4Range::of(
            {Ipv4Address{address() & mask_of_length(length)}, static_cast<std::uint8_t>(length)});
    }

    PortRange ports() {
        if (chance(50))
            return {};
        const auto [first, last] = std::minmax({port(), port()});
        return {first, last};
    }

    TrafficSelector selector() {
        if (chance(shape_.any_percent))
            return {range(), range()};
        return {range(), range(), chance(70) ? protocol() : std::uint8_t{0}, ports(), ports()};
    }

    const Shape& shape_;
    std::mt19937 random_;
};

class PolicyProperty : public ::testing::TestWithParam<std::pair<const char*, const Shape*>> {
  protected:
    static void compare(std::uint32_t size, unsigned tables, unsigned flows) {
        for (unsigned seed = 0; seed < tables; ++seed) {
            Generator generator{*GetParam().second, seed};
            const std::vector<PolicyLine> lines = generator.table(size);
            const PolicyTable table{lines};
            unsigned taken = 0;
            for (unsigned i = 0; i < flows; ++i) {
                const Flow flow = i % 4 == 0 || lines.empty()
                                      ? generator.random_flow()
                                      : generator.edge_flow(lines[generator.below(size)]);
                const PolicyMatch expected = first_match(lines, flow);
                table.prefetch(flow);
                ASSERT_EQ(table.match(flow), expected)
                    << "seed " << seed << " size " << size << " flow " << i << ": "
                    << to_string(Ipv4Address{flow.source}) << ':' << flow.source_port << " -> "
                    << to_string(Ipv4Address{flow.destination}) << ':' << flow.destination_port
                    << " protocol " << unsigned{flow.protocol} << " ports known "
                    << flow.ports_known;
                taken += expected.policy != kNoPolicy ? 1U : 0U;
            }
            // A comparison in which nothing ever matches would prove nothing.
            if (size >= 300) {
                EXPECT_GT(taken, flows / 20) << "seed " << seed << " size " << size;
            }
        }
    }
};

TEST_P(PolicyProperty, EmptyTableAgreesWithTheLineByLineReading) {
    compare(0, 1, 100);
}

TEST_P(PolicyProperty, OneLineAgreesWithTheLineByLineReading) {
    compare(1, 200, 100);
}

TEST_P(PolicyProperty, SmallTablesAgreeWithTheLineByLineReading) {
    compare(8, 500, 100);
}

TEST_P(PolicyProperty, MiddlingTablesAgreeWithTheLineByLineReading) {
    compare(300, 60, 1000);
}

TEST_P(PolicyProperty, LargeTablesAgreeWithTheLineByLineReading) {
    compare(10'000, 2, 1500);
}

INSTANTIATE_TEST_SUITE_P(Shapes,
                         PolicyProperty,
                         ::testing::Values(std::pair{"Tunnels", &kTunnels},
                                           std::pair{"Crowd", &kCrowd},
                                           std::pair{"LongEntries", &kLongEntries},
                                           std::pair{"EveryLength", &kEveryLength}),
                         [](const auto& shape) { return shape.param.first; });

} // namespace
} // namespace adit::dataplane

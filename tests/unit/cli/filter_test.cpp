// SPDX-License-Identifier: Apache-2.0
#include "control/cli/filter.h"

#include <gtest/gtest.h>

namespace adit::cli {

namespace {

constexpr const char* kText = "hostname gw-a\n"
                              "interface GigabitEthernet0/0\n"
                              " ip address 192.0.2.1 255.255.255.0\n"
                              " crypto map M\n"
                              "!\n"
                              "ip route 0.0.0.0 0.0.0.0 192.0.2.254\n"
                              "end\n";

std::string apply(std::string_view filter) {
    Filter::Trouble trouble;
    const auto parsed = Filter::parse(filter, trouble);
    return parsed ? parsed->apply(kText) : "refused: " + parsed.error().text;
}

TEST(Filter, KeepsAndDropsLines) {
    EXPECT_EQ(apply(" include hostname"), "hostname gw-a\n");
    EXPECT_EQ(apply("i ^ip|^end"), "ip route 0.0.0.0 0.0.0.0 192.0.2.254\nend\n");
    EXPECT_EQ(apply("ex ip|!|map|interface"), "hostname gw-a\nend\n");
    EXPECT_EQ(apply("begin route"), "ip route 0.0.0.0 0.0.0.0 192.0.2.254\nend\n");
    EXPECT_EQ(apply("inc nothing of this"), "");
}

TEST(Filter, CountsInTheRoutersWords) {
    EXPECT_EQ(apply("count 192"), "Number of lines which match regexp = 2\n");
}

TEST(Filter, KeepsSections) {
    const std::string section = "interface GigabitEthernet0/0\n"
                                " ip address 192.0.2.1 255.255.255.0\n"
                                " crypto map M\n";
    EXPECT_EQ(apply("sec ^interface"), section);
    EXPECT_EQ(apply("section include ^interface"), section);
    EXPECT_EQ(apply("section exclude ^interface"),
              "hostname gw-a\n!\nip route 0.0.0.0 0.0.0.0 192.0.2.254\nend\n");
    EXPECT_EQ(apply("section include"), "") << "alone, the word is the pattern";
}

TEST(Filter, PatternIsTheRestOfTheLine) {
    EXPECT_EQ(apply("include ^ip route .+ |^ipv6 route .+"),
              "ip route 0.0.0.0 0.0.0.0 192.0.2.254\n");
}

TEST(Filter, UnderscoreIsADelimiter) {
    EXPECT_EQ(apply("include _map_"), " crypto map M\n");
    EXPECT_EQ(apply("include _ma_"), "");
}

TEST(Filter, RefusesWhatIsNoFilter) {
    const auto trouble_of = [](std::string_view text) {
        Filter::Trouble trouble;
        EXPECT_FALSE(Filter::parse(text, trouble));
        return trouble;
    };
    EXPECT_EQ(trouble_of("").kind, Filter::Trouble::Kind::Incomplete);
    EXPECT_EQ(trouble_of("include").kind, Filter::Trouble::Kind::Incomplete);
    EXPECT_EQ(trouble_of("  foo x").kind, Filter::Trouble::Kind::Invalid);
    EXPECT_EQ(trouble_of("  foo x").column, 2U);
    EXPECT_EQ(trouble_of("include (").kind, Filter::Trouble::Kind::Pattern);
    EXPECT_EQ(trouble_of("include (a*)\\1").kind, Filter::Trouble::Kind::Pattern);
}

TEST(Filter, BracesAreCharactersNotCounts) {
    EXPECT_EQ(apply("include a{30000}{30000}"), "");
}

} // namespace

} // namespace adit::cli

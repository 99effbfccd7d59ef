// SPDX-License-Identifier: Apache-2.0
// The command tree: abbreviations, the first wrong character, help, completion; first on rows made
// for the purpose, then on the real ones.
#include "control/cli/grammar.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace adit::cli {

namespace {

using ::testing::ElementsAre;
using Kind = Parsed::Kind;

std::string nothing(Session&, const Match&) {
    return {};
}

constexpr Row row(const char* syntax, const char* no_syntax = nullptr) {
    return {Mode::Exec, syntax, no_syntax, "help", nothing};
}

constexpr Row kRows[] = {
    row("show version"),
    row("show interfaces [INTERFACE]"),
    row("show ip route"),
    row("set level <1-10>", "set level [<1-10>]"),
    row("set levels {low|high}..."),
    row("key [0|6] NAME address A.B.C.D [MASK]"),
    row("remark LINE", kSame),
    row("stop"),
    {Mode::Exec, "start", nullptr, "help", nothing, Privilege::User},
};

const Grammar& sample() {
    static const Grammar grammar{std::span<const Row>{kRows}};
    return grammar;
}

Parsed parse(std::string_view line) {
    return sample().parse(Mode::Exec, line);
}

std::string taken(std::string_view line) {
    const Parsed parsed = parse(line);
    if (parsed.kind != Kind::Matched)
        return "not taken";
    std::string text;
    for (const Word& word : parsed.match.words())
        text += (text.empty() ? "" : " ") + word.text;
    return text;
}

TEST(Grammar, TakesUniqueAbbreviationsAnyCase) {
    EXPECT_EQ(taken("show version"), "show version");
    EXPECT_EQ(taken("  SH  v "), "show version");
    EXPECT_EQ(taken("sh ip r"), "show ip route");
}

TEST(Grammar, ExactWordBeatsLongerOne) {
    EXPECT_EQ(taken("set level 3"), "set level 3");
    EXPECT_EQ(parse("set lev 3").kind, Kind::Ambiguous);
    EXPECT_EQ(taken("set levels low high low"), "set levels low high low");
}

TEST(Grammar, SaysAmbiguousAndIncomplete) {
    EXPECT_EQ(parse("s").kind, Kind::Ambiguous);
    EXPECT_EQ(parse("sh i").kind, Kind::Ambiguous);
    EXPECT_EQ(parse("sh").kind, Kind::Incomplete);
    EXPECT_EQ(parse("key k address").kind, Kind::Incomplete);
    EXPECT_EQ(parse("").kind, Kind::Empty);
    EXPECT_EQ(parse("  \t").kind, Kind::Empty);
}

TEST(Grammar, PointsAtTheFirstWrongCharacter) {
    const std::pair<const char*, std::size_t> cases[] = {
        {"foo", 0},
        {"show verzion", 8},
        {"show versionx", 12},
        {"  show foo", 7},
        {"show version now", 13},
        {"set level 11", 10},
        {"set level 99999999999999999999999", 10},
        {"key k address 10.1.x.1", 19},
        {"key k address 10.1.1.1 255.0.255.0", 23},
    };
    for (const auto& [line, column] : cases) {
        EXPECT_EQ(parse(line).kind, Kind::Invalid) << line;
        EXPECT_EQ(parse(line).column, column) << line;
    }
}

TEST(Grammar, TakesInterfaceNamesInOneWordAndTwo) {
    for (const char* line : {"sh int gi0/0", "sh int Gi 0/0", "sh interfaces GigabitEthernet0/0"})
        EXPECT_EQ(parse(line).match.interface(), "GigabitEthernet0/0") << line;
    EXPECT_EQ(parse("show interfaces gi").kind, Kind::Incomplete);
    EXPECT_EQ(parse("show interfaces 0/0").kind, Kind::Invalid);
}

TEST(Grammar, OffersArgumentsByKind) {
    const Match match = parse("key 0 s3cret address 10.0.0.0 255.0.0.0").match;
    EXPECT_EQ(match.text(ArgKind::Name), "s3cret");
    EXPECT_EQ(to_string(match.address()), "10.0.0.0");
    EXPECT_EQ(to_string(match.address(ArgKind::Mask)), "255.0.0.0");
    EXPECT_TRUE(match.has("0"));
    EXPECT_FALSE(match.has("6"));
    EXPECT_EQ(match.after("address")->text, "10.0.0.0");
    EXPECT_EQ(match.after("255.0.0.0"), nullptr);
}

TEST(Grammar, LineKeepsItsBlanks) {
    EXPECT_EQ(parse("remark a  b | c  ").match.text(ArgKind::Line), "a  b | c");
}

TEST(Grammar, NoAndDefaultAreOneForm) {
    EXPECT_EQ(parse("no set level").sign, Sign::No);
    EXPECT_EQ(parse("default set level 5").sign, Sign::No);
    EXPECT_EQ(parse("no remark x").sign, Sign::No);
    EXPECT_EQ(parse("no show version").kind, Kind::Invalid);
    EXPECT_EQ(parse("set level").kind, Kind::Incomplete);
}

TEST(Grammar, PrivilegedWordsDoNotExistForUsers) {
    EXPECT_EQ(sample().parse(Mode::Exec, "stop", Privilege::User).kind, Kind::Invalid);
    EXPECT_EQ(sample().parse(Mode::Exec, "s", Privilege::User).kind, Kind::Matched);
    EXPECT_EQ(sample().parse(Mode::Config, "stop").kind, Kind::Invalid);
}

std::vector<std::string> words(std::string_view line) {
    std::vector<std::string> list;
    for (const HelpLine& help : sample().help(Mode::Exec, line).lines)
        list.push_back(help.word);
    return list;
}

TEST(Grammar, HelpListsWhatMayComeNext) {
    EXPECT_THAT(words("show "), ElementsAre("interfaces", "ip", "version"));
    EXPECT_THAT(words("show i"), ElementsAre("interfaces", "ip"));
    EXPECT_THAT(words("show interfaces "), ElementsAre("json", "INTERFACE", "<cr>"));
    EXPECT_THAT(words("set levels low "), ElementsAre("high", "low", "<cr>"));
    EXPECT_THAT(words("key k address 10.0.0.1 "), ElementsAre("MASK", "<cr>"));
    EXPECT_THAT(words("show version "), ElementsAre("json", "<cr>"));
    EXPECT_THAT(words("foo "), ElementsAre());
    EXPECT_EQ(sample().help(Mode::Exec, "s ").kind, Help::Kind::Ambiguous);
}

TEST(Grammar, TabCompletesWhatIsCertain) {
    const auto complete = [](std::string_view line) { return sample().complete(Mode::Exec, line); };
    EXPECT_EQ(complete("sh"), "show ");
    EXPECT_EQ(complete("show v"), "show version ");
    EXPECT_EQ(complete("set l"), "set level");
    EXPECT_EQ(complete("st"), "st");
    EXPECT_EQ(complete("foo"), "foo");
    EXPECT_EQ(complete("show "), "show ");
}

TEST(Grammar, EveryRealWordHasHelp) {
    for (const Grammar* grammar : {&exec_grammar(), &config_grammar()})
        for (const Grammar::Entry& entry : grammar->entries()) {
            EXPECT_STRNE(entry.row->help, "") << entry.row->syntax;
            if (std::holds_alternative<Ignored>(entry.row->action) ||
                std::holds_alternative<Refused>(entry.row->action))
                continue;
            for (const Position& position : entry.syntax.positions)
                EXPECT_NE(word_help(position), "") << position.previous << ' ' << position.text;
        }
}

TEST(Grammar, EveryRowHasAHandlerOfItsSide) {
    for (const Grammar::Entry& entry : exec_grammar().entries())
        EXPECT_TRUE(std::holds_alternative<ExecHandler>(entry.row->action)) << entry.row->syntax;
    for (const Grammar::Entry& entry : config_grammar().entries())
        EXPECT_FALSE(std::holds_alternative<ExecHandler>(entry.row->action)) << entry.row->syntax;
}

TEST(Grammar, NoRealCommandMayBeEmpty) {
    for (const Grammar* grammar : {&exec_grammar(), &config_grammar()})
        for (const Grammar::Entry& entry : grammar->entries())
            EXPECT_FALSE(entry.syntax.nullable) << entry.row->syntax;
}

} // namespace

} // namespace adit::cli

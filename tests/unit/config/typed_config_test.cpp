// SPDX-License-Identifier: Apache-2.0
// Configurations typed at random, line by line from the grammar itself, `no` forms included: what
// came of them is printed, read back and printed again, and is the same text. And what the printed
// text says line by line is accepted again where it stands.
#include "control/cli/grammar.h"
#include "control/config/editor.h"
#include "control/config/parse.h"
#include "control/config/render.h"

#include <algorithm>
#include <cstdlib>
#include <gtest/gtest.h>
#include <map>
#include <random>
#include <set>

namespace adit::config {
namespace {

using cli::ArgKind;
using cli::Grammar;
using cli::Position;

class Typist {
  public:
    /// `accepted`: rows that need no more attention.
    Typist(unsigned seed, const std::set<const cli::Row*>& accepted)
        : random_(seed), accepted_(accepted) {}

    /// A line of a row that may be typed in this mode.
    std::pair<const Grammar::Entry*, std::string> line(cli::Mode mode) {
        const bool curious = chance(30);
        std::vector<const Grammar::Entry*> entries;
        for (const Grammar::Entry& entry : cli::config_grammar().entries())
            if (std::holds_alternative<cli::ConfigHandler>(entry.row->action) &&
                (entry.row->mode == mode || (entry.row->mode == cli::Mode::Config && chance(10))) &&
                !(curious && accepted_.contains(entry.row)))
                entries.push_back(&entry);
        if (entries.empty() || std::ranges::all_of(entries, &is_negative))
            return {nullptr, "exit"};
        // Half of the lines take something back in a grammar of pairs: too many.
        const Grammar::Entry* entry = entries[below(entries.size())];
        while (entry->sign == cli::Sign::No && !chance(15))
            entry = entries[below(entries.size())];
        return {entry, words_of(entry->syntax)};
    }

    std::size_t below(std::size_t count) { return random_() % count; }

  private:
    static bool is_negative(const Grammar::Entry* entry) { return entry->sign == cli::Sign::No; }

    bool chance(unsigned per_cent) { return random_() % 100 < per_cent; }

    std::string words_of(const cli::Syntax& syntax) {
        std::string text;
        const std::vector<std::size_t>* next = &syntax.first;
        for (int words = 0; words < 40; ++words) {
            const Position& position = syntax.positions[(*next)[below(next->size())]];
            text += (text.empty() ? "" : " ") + word(position);
            const bool must_end = position.follow.empty();
            const bool may_end = position.last && (words > 12 || chance(50));
            if (must_end || may_end)
                break;
            next = &position.follow;
        }
        return text;
    }

    std::string word(const Position& position) {
        static constexpr const char* kNames[] = {"A", "B-2", "map.one", "110", "2001", "x_y"};
        switch (position.kind) {
        case ArgKind::Keyword:
            return position.text;
        case ArgKind::Number:
            return std::to_string(number(position.low, position.high));
        case ArgKind::Ipv4:
            return "10." + std::to_string(below(3)) + '.' + std::to_string(below(256)) + '.' +
                   std::to_string(below(3));
        case ArgKind::Mask:
            return to_string(Ipv4Address{~std::uint32_t{0} << below(32)});
        case ArgKind::Wildcard:
            return to_string(Ipv4Address{(std::uint32_t{1} << below(32)) - 1});
        case ArgKind::Name:
            return kNames[below(std::size(kNames))];
        case ArgKind::Port:
            return chance(50) ? std::to_string(below(65'536)) : "domain";
        case ArgKind::Interface:
            return below(2) == 0 ? "Tunnel" + std::to_string(below(3))
                                 : "GigabitEthernet0/" + std::to_string(below(3));
        case ArgKind::InterfaceType:
            return below(2) == 0 ? "Tunnel" : "gi";
        case ArgKind::InterfaceNumber:
            return std::to_string(below(3));
        case ArgKind::Line:
            return "some words";
        }
        return "?";
    }

    std::uint64_t number(std::uint64_t low, std::uint64_t high) {
        switch (below(4)) {
        case 0:
            return low;
        case 1:
            return high;
        default:
            return low + random_() % std::min<std::uint64_t>(high - low + 1, 50);
        }
    }

    std::mt19937 random_;
    const std::set<const cli::Row*>& accepted_;
};

std::string list(const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines)
        text += line + '\n';
    return text;
}

bool is_about_the_session(std::string_view syntax) {
    return syntax == "end" || syntax == "exit" || syntax == "do LINE";
}

TEST(TypedConfig, PrintedAndReadBackIsTheSameText) {
    constexpr unsigned kSeeds = 150;
    constexpr unsigned kLines = 80;
    std::set<const cli::Row*> accepted;
    for (unsigned seed = 1; seed <= kSeeds; ++seed) {
        Typist typist{seed, accepted};
        Editor editor;
        std::vector<std::string> typed;
        for (unsigned i = 0; i < kLines && !editor.ended(); ++i) {
            const auto [entry, line] = typist.line(editor.mode());
            if (line == "end" || (line == "exit" && editor.mode() == cli::Mode::Config))
                continue;
            const Verdict verdict = editor.line(line);
            ASSERT_NE(verdict.kind, Verdict::Kind::Incomplete) << line;
            if (verdict.kind != Verdict::Kind::Done)
                continue;
            typed.push_back(line);
            if (entry != nullptr)
                accepted.insert(entry->row);
        }
        const std::string printed = render(editor.config(), Secrets::Clear);
        const ParseResult read = parse_config(printed);
        ASSERT_EQ(render(read.config, Secrets::Clear), printed)
            << "seed " << seed << "; typed was\n"
            << list(typed);
    }
    // Or the above says little.
    std::vector<std::string> missed;
    for (const Grammar::Entry& entry : cli::config_grammar().entries())
        if (entry.sign == cli::Sign::Set &&
            std::holds_alternative<cli::ConfigHandler>(entry.row->action) &&
            !is_about_the_session(entry.row->syntax) && !accepted.contains(entry.row))
            missed.emplace_back(entry.row->syntax);
    constexpr std::size_t kFew = 5; // of more than a hundred
    EXPECT_LE(missed.size(), kFew) << "never accepted:\n" << list(missed);
}

} // namespace
} // namespace adit::config

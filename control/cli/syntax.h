// SPDX-License-Identifier: Apache-2.0
// The notation of one command, and the automaton made of it.
//
//     crypto isakmp policy <1-10000>
//     {encr|encryption} {3des|aes [128|192|256]}
//     set transform-set NAME...
//
// Lower-case words are keywords. {a|b} is a choice, [a|b] may be left out, x... repeats. Arguments:
//
//     <1-10000>  number in a range         A.B.C.D    IPv4 address
//     MASK       contiguous mask           WILDCARD   any dotted quad
//     NAME       one word                  LINE       the rest of the line
//     PORT       TCP or UDP port, number or name
//     INTERFACE  name as one word or two ("gi0/0", "gi 0/0")
//
// The automaton is Glushkov's: one position per word of the notation, so a position is also where
// help and the error marker point to. Ambiguous notations are allowed; matching follows all
// positions at once.
//
// Threading: built once, then read only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace adit::cli {

enum class ArgKind : std::uint8_t {
    Keyword,
    Number,
    Ipv4,
    Mask,
    Wildcard,
    Name,
    Port,
    Interface,       // "gi0/0"
    InterfaceType,   // "gi" of "gi 0/0"
    InterfaceNumber, // "0/0" of it
    Line,
};

/// A word of the notation.
struct Position {
    ArgKind kind{};
    std::string text;     // keyword, or the argument as the notation writes it
    std::string previous; // the word in front of it in the notation: context for help
    std::uint64_t low{}, high{};
    std::vector<std::size_t> follow;
    bool last{false}; // the command may end here
};

struct Syntax {
    std::vector<Position> positions;
    std::vector<std::size_t> first;
    bool nullable{false};
};

/// The notation is ours: a mistake in it ends the program, and a test compiles every row.
Syntax compile(std::string_view notation);

/// How a typed word fits a position.
enum class Fit : std::uint8_t { No, Argument, Prefix, Exact };

Fit fit(const Position& position, std::string_view word);

/// How many characters of `word` could still become what `position` wants: where the marker goes.
std::size_t fitting_characters(const Position& position, std::string_view word);

} // namespace adit::cli

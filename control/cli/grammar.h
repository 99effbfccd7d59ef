// SPDX-License-Identifier: Apache-2.0
// The command tree as data: rows of notation (syntax.h), and what one set of rows gives: parsing
// with abbreviations, the place of the first wrong character, `?` lists and Tab completion. Manual
// and fuzz grammar are generated from the same rows.
//
// Threading: a Grammar is built once and then read only.
#pragma once

#include "common/address.h"
#include "common/error.h"
#include "control/cli/syntax.h"

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace adit::config {
class Editor;
}

namespace adit::cli {

class Session;

enum class Mode : std::uint8_t {
    Exec,
    Config,
    Isakmp,
    Trustpoint,
    TransformSet,
    CryptoMap,
    AccessList,
    Interface,
    Keyring,
    IsakmpProfile,
    IsakmpPeer,
    ClientGroup,
    IpsecProfile,
    Skipped, // inside a block that was ignored or refused
    Count_,
};

enum class Privilege : std::uint8_t { User = 1, Privileged = 15 };

/// `no` and `default` in front of a configuration line.
enum class Sign : std::uint8_t { Set, No };

/// A typed word and what it was taken for.
struct Word {
    ArgKind kind{};
    std::string text; // keywords in full
    std::size_t column{};
};

/// The words of one accepted line.
class Match {
  public:
    Match() = default;

    explicit Match(std::vector<Word> words) : words_(std::move(words)) {}

    [[nodiscard]] std::span<const Word> words() const { return words_; }

    [[nodiscard]] bool has(std::string_view keyword) const;
    /// The nth argument of a kind; null when there are fewer.
    [[nodiscard]] const Word* argument(ArgKind kind, std::size_t nth = 0) const;
    /// The word behind a keyword; null when there is none.
    [[nodiscard]] const Word* after(std::string_view keyword) const;

    /// Empty when absent. Interfaces come in canonical spelling from `interface()`.
    [[nodiscard]] std::string text(ArgKind kind, std::size_t nth = 0) const;
    [[nodiscard]] std::string interface() const;
    [[nodiscard]] std::uint32_t number(std::size_t nth = 0) const;
    [[nodiscard]] Ipv4Address address(ArgKind kind = ArgKind::Ipv4, std::size_t nth = 0) const;

  private:
    std::vector<Word> words_;
};

using ConfigHandler = Status (*)(config::Editor&, const Match&, Sign);
using ExecHandler = std::string (*)(Session&, const Match&);

/// A line of a router that has no effect here; said with every use.
struct Ignored {
    const char* reason;
};

/// A line we understand, do not do, and must not pass over: what it protects would be open.
struct Refused {
    const char* reason;
    const char* remedy = "";
};

using Action = std::variant<ConfigHandler, ExecHandler, Ignored, Refused>;

/// no_syntax of rows whose `no` form is written like the row itself.
inline constexpr const char* kSame = "=";

struct Row {
    Mode mode;
    const char* syntax;    // nullptr: there is only the `no` form
    const char* no_syntax; // behind `no`; nullptr: there is none; kSame: as `syntax`
    const char* help;      // what the command does, for the manual
    Action action;
    Privilege privilege = Privilege::Privileged;
    bool opens_block = false; // Ignored, Refused: lines indented below belong to it
};

/// An EXEC command for everybody.
constexpr Row user(const char* syntax, const char* help, ExecHandler handler) {
    return {Mode::Exec, syntax, nullptr, help, handler, Privilege::User};
}

/// An EXEC command behind `enable`.
constexpr Row privileged(const char* syntax, const char* help, ExecHandler handler) {
    return {Mode::Exec, syntax, nullptr, help, handler, Privilege::Privileged};
}

/// Help of one word; `word` may be preceded by the word in front of it.
struct WordHelp {
    const char* word;
    const char* help;
};

std::span<const WordHelp> glossary();
/// Longest context first: "policy <1-10000>", then "<1-10000>". Empty when nobody wrote any.
std::string_view word_help(const Position& position);

struct Parsed {
    enum class Kind : std::uint8_t { Matched, Empty, Incomplete, Ambiguous, Invalid } kind{};
    const Row* row{nullptr};
    Sign sign{Sign::Set};
    Match match;
    std::size_t column{0}; // of the first wrong character, from 0
};

struct HelpLine {
    std::string word;
    std::string help;
};

struct Help {
    enum class Kind : std::uint8_t {
        Words,       // what may come next
        Completions, // words that begin as typed
        Ambiguous,
        Unknown,
    } kind{};
    std::vector<HelpLine> lines;
};

class Grammar {
  public:
    explicit Grammar(std::initializer_list<std::span<const Row>> tables);

    [[nodiscard]] Parsed
    parse(Mode mode, std::string_view line, Privilege privilege = Privilege::Privileged) const;

    /// For `?` behind `line`.
    [[nodiscard]] Help
    help(Mode mode, std::string_view line, Privilege privilege = Privilege::Privileged) const;

    /// `line` as it stands after Tab; unchanged when there is nothing to add.
    [[nodiscard]] std::string
    complete(Mode mode, std::string_view line, Privilege privilege = Privilege::Privileged) const;

    struct Entry {
        const Row* row;
        Sign sign;
        Syntax syntax;
    };

    /// All of them, for the manual and for tests.
    [[nodiscard]] std::span<const Entry> entries() const { return entries_; }

  private:
    struct Thread; // one way to read the line so far
    struct Walk;

    [[nodiscard]] std::vector<Thread> start(Mode mode, Privilege privilege) const;
    [[nodiscard]] Walk
    walk(Mode mode, Privilege privilege, std::string_view line, bool last_is_partial) const;
    [[nodiscard]] std::vector<const Position*> next(const Walk& walk) const;

    std::vector<Entry> entries_;
};

/// Configuration modes: used by the parser of texts and by sessions.
const Grammar& config_grammar();
/// EXEC mode.
const Grammar& exec_grammar();

// The tables, one file each.
std::span<const Row> config_global_rows();
std::span<const Row> config_isakmp_rows();
std::span<const Row> config_profile_rows();
std::span<const Row> config_pki_rows();
std::span<const Row> config_ipsec_rows();
std::span<const Row> config_acl_rows();
std::span<const Row> config_interface_rows();
std::span<const Row> config_remote_rows();
std::span<const Row> config_platform_rows();
std::span<const Row> debug_rows();
std::span<const Row> exec_rows();
std::span<const Row> file_rows();
std::span<const Row> platform_rows();
std::span<const Row> show_rows();

} // namespace adit::cli

// SPDX-License-Identifier: Apache-2.0
#include "control/cli/syntax.h"

#include "common/address.h"
#include "common/error.h"
#include "control/config/interface_name.h"
#include "control/config/names.h"

#include <algorithm>
#include <charconv>

namespace adit::cli {

namespace {

/// What Glushkov's construction needs of a part of the notation.
struct Part {
    std::vector<std::size_t> first, last;
    bool nullable{true};
};

void append(std::vector<std::size_t>& to, const std::vector<std::size_t>& from) {
    for (const std::size_t position : from)
        if (std::find(to.begin(), to.end(), position) == to.end())
            to.push_back(position);
}

std::vector<std::string> split(std::string_view notation) {
    std::vector<std::string> tokens;
    std::string word;
    const auto flush = [&] {
        if (!word.empty())
            tokens.push_back(std::move(word));
        word.clear();
    };
    for (std::size_t i = 0; i < notation.size(); ++i) {
        const char c = notation[i];
        const bool dots = notation.substr(i, 3) == "...";
        if (c == ' ' || dots || std::string_view{"{}[]|"}.find(c) != std::string_view::npos)
            flush();
        if (dots) {
            tokens.emplace_back("...");
            i += 2;
        } else if (std::string_view{"{}[]|"}.find(c) != std::string_view::npos) {
            tokens.emplace_back(1, c);
        } else if (c != ' ') {
            word += c;
        }
    }
    flush();
    return tokens;
}

std::uint64_t digits(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    ENSURE(error == std::errc{} && end == text.data() + text.size());
    return value;
}

ArgKind kind_of(std::string_view word) {
    if (word.front() == '<')
        return ArgKind::Number;
    if (word == "A.B.C.D")
        return ArgKind::Ipv4;
    if (word == "MASK")
        return ArgKind::Mask;
    if (word == "WILDCARD")
        return ArgKind::Wildcard;
    if (word == "NAME")
        return ArgKind::Name;
    if (word == "PORT")
        return ArgKind::Port;
    if (word == "LINE")
        return ArgKind::Line;
    return ArgKind::Keyword;
}

class Compiler {
  public:
    explicit Compiler(std::string_view notation) : tokens_(split(notation)) {}

    Syntax run() && {
        const Part whole = sequence();
        ENSURE(at_ == tokens_.size());
        syntax_.first = whole.first;
        syntax_.nullable = whole.nullable;
        for (const std::size_t position : whole.last)
            syntax_.positions[position].last = true;
        return std::move(syntax_);
    }

  private:
    [[nodiscard]] bool ahead(std::string_view token) const {
        return at_ < tokens_.size() && tokens_[at_] == token;
    }

    void expect(std::string_view token) {
        ENSURE(ahead(token));
        ++at_;
    }

    Part sequence() {
        Part whole;
        while (at_ < tokens_.size() && !ahead("|") && !ahead("}") && !ahead("]"))
            whole = join(whole, item());
        return whole;
    }

    Part item() {
        Part part;
        if (ahead("{"))
            part = choice("}");
        else if (ahead("["))
            part = choice("]");
        else
            part = word(tokens_[at_++]);
        if (ahead("...")) {
            ++at_;
            for (const std::size_t position : part.last)
                append(syntax_.positions[position].follow, part.first);
        }
        return part;
    }

    Part choice(std::string_view close) {
        ++at_;
        const std::string context = previous_;
        Part whole;
        whole.nullable = close == "]";
        for (;;) {
            previous_ = context;
            const Part branch = sequence();
            append(whole.first, branch.first);
            append(whole.last, branch.last);
            whole.nullable = whole.nullable || branch.nullable;
            if (!ahead("|"))
                break;
            ++at_;
        }
        expect(close);
        return whole;
    }

    Part join(const Part& left, const Part& right) {
        for (const std::size_t position : left.last)
            append(syntax_.positions[position].follow, right.first);
        Part both{left.first, right.last, left.nullable && right.nullable};
        if (left.nullable)
            append(both.first, right.first);
        if (right.nullable)
            append(both.last, left.last);
        return both;
    }

    Part word(const std::string& text) {
        if (text != "INTERFACE")
            return single(position(kind_of(text), text));
        // One word or two: "gi0/0", "gi 0/0".
        const std::size_t whole = position(ArgKind::Interface, text);
        const std::size_t type = position(ArgKind::InterfaceType, text);
        const std::size_t number = position(ArgKind::InterfaceNumber, text);
        syntax_.positions[type].follow.push_back(number);
        return {{whole, type}, {whole, number}, false};
    }

    static Part single(std::size_t position) { return {{position}, {position}, false}; }

    std::size_t position(ArgKind kind, const std::string& text) {
        Position made{.kind = kind, .text = text, .previous = previous_, .follow = {}};
        if (kind == ArgKind::Number) {
            const std::size_t dash = text.find('-');
            ENSURE(dash != std::string::npos && text.back() == '>');
            made.low = digits(std::string_view{text}.substr(1, dash - 1));
            made.high = digits(std::string_view{text}.substr(dash + 1, text.size() - dash - 2));
        }
        syntax_.positions.push_back(std::move(made));
        if (kind == ArgKind::Keyword)
            previous_ = text;
        return syntax_.positions.size() - 1;
    }

    std::vector<std::string> tokens_;
    std::size_t at_{0};
    std::string previous_; // last keyword
    Syntax syntax_;
};

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::size_t common_prefix(std::string_view keyword, std::string_view word) {
    std::size_t length = 0;
    while (length < keyword.size() && length < word.size() &&
           lower(keyword[length]) == lower(word[length]))
        ++length;
    return length;
}

bool in_range(const Position& position, std::string_view word) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    return error == std::errc{} && end == word.data() + word.size() && value >= position.low &&
           value <= position.high;
}

bool is_argument(const Position& position, std::string_view word) {
    switch (position.kind) {
    case ArgKind::Keyword:
        return false;
    case ArgKind::Number:
        return in_range(position, word);
    case ArgKind::Ipv4:
    case ArgKind::Wildcard:
        return parse_ipv4(word).has_value();
    case ArgKind::Mask: {
        const auto mask = parse_ipv4(word);
        return mask && mask_length(*mask).has_value();
    }
    case ArgKind::Port:
        return config::parse_port(config::kTcp, word) || config::parse_port(config::kUdp, word);
    case ArgKind::Name:
    case ArgKind::Line:
        return true;
    case ArgKind::Interface:
        return config::canonical_interface(word).has_value();
    case ArgKind::InterfaceType:
        return config::interface_type(word).has_value();
    case ArgKind::InterfaceNumber:
        return config::is_interface_number(word);
    }
    return false;
}

} // namespace

Syntax compile(std::string_view notation) {
    return Compiler{notation}.run();
}

Fit fit(const Position& position, std::string_view word) {
    if (position.kind != ArgKind::Keyword)
        return is_argument(position, word) ? Fit::Argument : Fit::No;
    if (word.empty() || common_prefix(position.text, word) < word.size())
        return Fit::No;
    return word.size() == position.text.size() ? Fit::Exact : Fit::Prefix;
}

std::size_t fitting_characters(const Position& position, std::string_view word) {
    switch (position.kind) {
    case ArgKind::Keyword:
        return common_prefix(position.text, word);
    case ArgKind::Ipv4:
    case ArgKind::Wildcard:
    case ArgKind::Mask: {
        const std::size_t wrong = word.find_first_not_of("0123456789.");
        return wrong == std::string_view::npos ? 0 : wrong;
    }
    default:
        return 0; // the word as a whole is wrong
    }
}

} // namespace adit::cli

// SPDX-License-Identifier: Apache-2.0
// Access lists: numbered (access-list 110 ...) and named (ip access-list extended X).
#include "control/cli/grammar.h"
#include "control/config/editor.h"
#include "control/config/names.h"
#include "control/config/render.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace adit::cli {

namespace {

using config::AccessList;
using config::AclAddress;
using config::AclLine;
using config::Editor;

constexpr std::uint32_t kSequenceStep = 10;

// --- one rule ------------------------------------------------------------------------------------

/// Takes the words of a rule one after the other; the grammar has made sure they are there.
class RuleReader {
  public:
    explicit RuleReader(std::span<const Word> words) : words_(words) {}

    Result<AclLine> read() {
        AclLine line{.permit = take().text == "permit"};
        line.protocol = config::parse_protocol(take().text).value_or(0);
        line.source = term();
        line.source_port = TRY(ports(line.protocol));
        line.destination = term();
        line.destination_port = TRY(ports(line.protocol));
        return line;
    }

  private:
    const Word& take() { return words_[at_++]; }

    [[nodiscard]] bool ahead(std::string_view keyword) const {
        return at_ < words_.size() && words_[at_].text == keyword;
    }

    AclAddress term() {
        const Word& word = take();
        if (word.kind == ArgKind::Keyword && word.text == "any")
            return {Ipv4Address{}, Ipv4Address{~0U}};
        if (word.kind == ArgKind::Keyword)
            return {parse_ipv4(take().text).value_or(Ipv4Address{}), Ipv4Address{}};
        const Ipv4Address address = parse_ipv4(word.text).value_or(Ipv4Address{});
        const Ipv4Address wildcard = parse_ipv4(take().text).value_or(Ipv4Address{});
        // Bits that do not matter are kept as zeros, as routers print them.
        return {Ipv4Address{address.value & ~wildcard.value}, wildcard};
    }

    Result<std::uint16_t> port(std::uint8_t protocol) {
        const std::string& text = take().text;
        const auto port = config::parse_port(protocol, text);
        if (!port)
            return fail(ErrorCode::Invalid,
                        "'" + text + "' is not a port of " + config::protocol_name(protocol));
        return *port;
    }

    Result<PortRange> ports(std::uint8_t protocol) {
        constexpr std::uint16_t kLast = 0xffff;
        if (ahead("eq")) {
            ++at_;
            const std::uint16_t only = TRY(port(protocol));
            return PortRange{only, only};
        }
        if (ahead("range")) {
            ++at_;
            const std::uint16_t first = TRY(port(protocol));
            const std::uint16_t last = TRY(port(protocol));
            if (first > last)
                return fail(ErrorCode::Invalid, "The first port of a range is above the last");
            return PortRange{first, last};
        }
        const bool above = ahead("gt");
        if (!above && !ahead("lt"))
            return PortRange{};
        ++at_;
        const std::uint16_t bound = TRY(port(protocol));
        if (bound == (above ? kLast : 0))
            return fail(ErrorCode::Invalid, "No port is that far out");
        return above ? PortRange{static_cast<std::uint16_t>(bound + 1), kLast}
                     : PortRange{0, static_cast<std::uint16_t>(bound - 1)};
    }

    std::span<const Word> words_;
    std::size_t at_{0};
};

/// Words from `permit`, `deny` or `remark` on.
std::span<const Word> rule_words(const Match& match) {
    std::span<const Word> words = match.words();
    while (!words.empty() && words[0].text != "permit" && words[0].text != "deny" &&
           words[0].text != "remark")
        words = words.subspan(1);
    return words;
}

Result<AclLine> read_line(const Match& match) {
    if (match.has("remark"))
        return AclLine{.remark = match.text(ArgKind::Line)};
    return RuleReader{rule_words(match)}.read();
}

bool same_rule(const AclLine& a, const AclLine& b) {
    return config::acl_line_text(a) == config::acl_line_text(b);
}

// --- lists ---------------------------------------------------------------------------------------

std::uint32_t last_sequence(const AccessList& list) {
    std::uint32_t last = 0;
    for (const AclLine& line : list.lines)
        last = std::max(last, line.sequence);
    return last;
}

/// Behind the last line whose number is smaller; remarks stay with the line they stand above.
void insert_by_sequence(AccessList& list, AclLine line) {
    auto at = list.lines.end();
    while (at != list.lines.begin()) {
        const AclLine& before = *std::prev(at);
        if (before.remark.empty() && before.sequence < line.sequence)
            break;
        if (!before.remark.empty() && at == list.lines.end() && last_sequence(list) < line.sequence)
            break;
        --at;
    }
    list.lines.insert(at, std::move(line));
}

/// `sequence` 0: behind the last line.
Status add_line(AccessList& list, AclLine line, std::uint32_t sequence) {
    const auto same = std::find_if(list.lines.begin(), list.lines.end(), [&](const AclLine& other) {
        return same_rule(other, line);
    });
    if (!line.remark.empty()) {
        list.lines.push_back(std::move(line));
        return {};
    }
    if (same != list.lines.end() && (sequence == 0 || same->sequence == sequence))
        return {};
    const auto taken = [&](const AclLine& other) {
        return other.remark.empty() && other.sequence == sequence;
    };
    if (sequence != 0 && std::any_of(list.lines.begin(), list.lines.end(), taken))
        return fail(ErrorCode::Conflict, "Duplicate sequence number");
    if (same != list.lines.end())
        return fail(ErrorCode::Conflict,
                    "The same rule stands at sequence number " + std::to_string(same->sequence));
    constexpr std::uint32_t kMaxSequence = 2'147'483'647;
    const std::uint32_t last = last_sequence(list);
    if (sequence == 0 && last > kMaxSequence - kSequenceStep)
        return fail(ErrorCode::Exhausted, "No sequence number is left behind the last line");
    line.sequence = sequence != 0 ? sequence : last + kSequenceStep;
    insert_by_sequence(list, std::move(line));
    return {};
}

void note_unused_words(Editor& editor, const Match& match) {
    if (match.has("log") || match.has("log-input"))
        editor.ignore("hits are counted, not logged; the rule itself counts");
}

Status
put_line(Editor& editor, const std::string& name, const Match& match, std::uint32_t sequence) {
    AclLine line = TRY(read_line(match));
    AccessList& list = editor.edit().access_lists[name];
    const bool is_rule = line.remark.empty();
    TRY_VOID(add_line(list, std::move(line), sequence));
    note_unused_words(editor, match);
    editor.define("access-list " + name);
    if (is_rule)
        editor.define("access-list " + name + ' ' +
                      std::to_string(sequence != 0 ? sequence : last_sequence(list)));
    return {};
}

Status numbered(Editor& editor, const Match& match, Sign sign) {
    const std::string name = std::to_string(match.number()); // "0110" is 110
    if (sign == Sign::No) {
        editor.edit().access_lists.erase(name);
        return {};
    }
    return put_line(editor, name, match, 0);
}

/// A number in its one spelling, any other name as it is; nothing for numbers of other lists.
std::optional<std::string> extended_name(const std::string& name) {
    if (name.find_first_not_of("0123456789") != std::string::npos)
        return name;
    unsigned number = 0;
    std::from_chars(name.data(), name.data() + name.size(), number);
    if ((number >= 100 && number <= 199) || (number >= 2000 && number <= 2699))
        return std::to_string(number);
    return std::nullopt;
}

Status named(Editor& editor, const Match& match, Sign sign) {
    const auto name = extended_name(match.text(ArgKind::Name));
    if (!name)
        return fail(ErrorCode::Invalid, "Extended lists have the numbers 100-199 and 2000-2699");
    if (sign == Sign::No) {
        editor.edit().access_lists.erase(*name);
        return {};
    }
    editor.edit().access_lists.try_emplace(*name);
    editor.enter(Mode::AccessList, *name);
    editor.define("access-list " + *name);
    return {};
}

Status remove_rule(AccessList& list, const Match& match, bool by_number) {
    const AclLine wanted = by_number ? AclLine{} : TRY(read_line(match));
    const std::uint32_t sequence = match.number();
    const bool any_remark = match.has("remark") && wanted.remark.empty();
    const auto removed = std::erase_if(list.lines, [&](const AclLine& line) {
        if (by_number)
            return line.remark.empty() && line.sequence == sequence;
        return any_remark ? !line.remark.empty() : same_rule(line, wanted);
    });
    if (removed == 0)
        return fail(ErrorCode::NotFound, "The list has no such line");
    return {};
}

Status rule(Editor& editor, const Match& match, Sign sign) {
    const std::size_t number_at = sign == Sign::No ? 1 : 0;
    const bool has_number =
        match.words().size() > number_at && match.words()[number_at].kind == ArgKind::Number;
    if (sign == Sign::No)
        return remove_rule(editor.edit().access_lists[editor.object()], match, has_number);
    return put_line(editor, editor.object(), match, has_number ? match.number() : 0);
}

// clang-format off
#define TERM "{any|host A.B.C.D|A.B.C.D WILDCARD}"
#define PORTS "[{eq|gt|lt} PORT|range PORT PORT]"
#define PROTOCOLS "{ip|icmp|igmp|ipinip|gre|esp|ahp|eigrp|ospf|nos|pim|pcp|sctp|<0-255>}"
#define PLAIN_RULE "{permit|deny} " PROTOCOLS " " TERM " " TERM " [log|log-input]"
#define PORT_RULE "{permit|deny} {tcp|udp} " TERM " " PORTS " " TERM " " PORTS " [log|log-input]"
#define NUMBERS "{<100-199>|<2000-2699>}"
// clang-format on

constexpr Row kRows[] = {
    {Mode::Config,
     "access-list " NUMBERS " {" PLAIN_RULE "|" PORT_RULE "|remark LINE}",
     "access-list " NUMBERS " [LINE]",
     "Add a rule to a numbered list",
     numbered},
    {Mode::Config,
     "access-list {<1-99>|<1300-1999>} LINE",
     "access-list {<1-99>|<1300-1999>} [LINE]",
     "Standard access list",
     Ignored{"standard access lists are used by nothing here"}},
    {Mode::Config, "ip access-list extended NAME", kSame, "Enter an extended access list", named},
    {Mode::Config,
     "ip access-list standard NAME",
     kSame,
     "Enter a standard access list",
     Ignored{"standard access lists are used by nothing here"},
     Privilege::Privileged,
     true},
    {Mode::AccessList,
     "[<1-2147483647>] {" PLAIN_RULE "|" PORT_RULE "}",
     "{<1-2147483647> [LINE]|" PLAIN_RULE "|" PORT_RULE "}",
     "Add a rule",
     rule},
    {Mode::AccessList,
     "[<1-2147483647>] remark LINE",
     "[<1-2147483647>] remark [LINE]",
     "Add a remark",
     rule},
};

#undef TERM
#undef PORTS
#undef PROTOCOLS
#undef PLAIN_RULE
#undef PORT_RULE
#undef NUMBERS

} // namespace

std::span<const Row> config_acl_rows() {
    return kRows;
}

} // namespace adit::cli

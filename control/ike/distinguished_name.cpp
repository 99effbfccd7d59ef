// SPDX-License-Identifier: Apache-2.0
#include "control/ike/distinguished_name.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

namespace adit::ike {

namespace {

enum class Tag : std::uint8_t {
    ObjectIdentifier = 0x06,
    Utf8String = 0x0c,
    NumericString = 0x12,
    PrintableString = 0x13,
    T61String = 0x14,
    Ia5String = 0x16,
    VisibleString = 0x1a,
    UniversalString = 0x1c,
    BmpString = 0x1e,
    Sequence = 0x30,
    Set = 0x31,
};

struct Element {
    Tag tag{};
    ByteView content;
};

/// X.690 8.1.3: a length below 128 in one octet, else in as many as the first says.
Result<std::size_t> read_length(Reader& reader) {
    constexpr std::uint8_t kLong = 0x80;
    const std::uint8_t first = TRY(reader.u8());
    if (first < kLong)
        return first;
    if (first == kLong + 1)
        return TRY(reader.u8());
    if (first == kLong + 2)
        return TRY(reader.u16());
    return fail(ErrorCode::Malformed, "length of a length: " + std::to_string(first));
}

Result<Element> read_element(Reader& reader) {
    const Tag tag{TRY(reader.u8())};
    const std::size_t length = TRY(read_length(reader));
    return Element{tag, TRY(reader.take(length))};
}

Result<ByteView> read(Reader& reader, Tag tag) {
    const Element element = TRY(read_element(reader));
    if (element.tag != tag)
        return fail(ErrorCode::Malformed,
                    "tag " + std::to_string(static_cast<unsigned>(element.tag)) + " instead of " +
                        std::to_string(static_cast<unsigned>(tag)));
    return element.content;
}

// --- types of attributes

struct AttributeName {
    std::string_view oid; // its content octets
    const char* name;
};

constexpr std::array kAttributeNames = {
    AttributeName{"\x55\x04\x03", "cn"},
    AttributeName{"\x55\x04\x04", "sn"},
    AttributeName{"\x55\x04\x05", "serialnumber"},
    AttributeName{"\x55\x04\x06", "c"},
    AttributeName{"\x55\x04\x07", "l"},
    AttributeName{"\x55\x04\x08", "st"},
    AttributeName{"\x55\x04\x09", "street"},
    AttributeName{"\x55\x04\x0a", "o"},
    AttributeName{"\x55\x04\x0b", "ou"},
    AttributeName{"\x55\x04\x0c", "title"},
    AttributeName{"\x55\x04\x0d", "description"},
    AttributeName{"\x55\x04\x0f", "businesscategory"},
    AttributeName{"\x55\x04\x11", "postalcode"},
    AttributeName{"\x55\x04\x29", "name"},
    AttributeName{"\x55\x04\x2a", "gn"},
    AttributeName{"\x55\x04\x2b", "initials"},
    AttributeName{"\x55\x04\x2c", "generationqualifier"},
    AttributeName{"\x55\x04\x2e", "dnqualifier"},
    AttributeName{"\x55\x04\x41", "pseudonym"},
    AttributeName{"\x55\x04\x61", "organizationidentifier"},
    AttributeName{"\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x01", "uid"},
    AttributeName{"\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19", "dc"},
    // PKCS #9; what routers make of the first two.
    AttributeName{"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01", "e"},
    AttributeName{"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x02", "hostname"},
    AttributeName{"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x08", "unstructuredaddress"},
};

/// X.690 8.19: "2.5.4.3"; the first number holds two.
std::string dotted(ByteView oid) {
    constexpr std::uint8_t kMore = 0x80;
    constexpr std::uint64_t kArcs = 40;
    std::string text;
    std::uint64_t number = 0;
    for (const std::uint8_t octet : oid) {
        number = number << 7 | (octet & ~kMore);
        if ((octet & kMore) != 0)
            continue;
        if (text.empty()) {
            const std::uint64_t root = std::min<std::uint64_t>(number / kArcs, 2);
            text = std::to_string(root);
            number -= root * kArcs;
        }
        text += "." + std::to_string(number);
        number = 0;
    }
    return text;
}

std::string attribute_name(ByteView oid) {
    const auto* known =
        std::ranges::find(kAttributeNames, std::string_view{to_text(oid)}, &AttributeName::oid);
    return known == kAttributeNames.end() ? dotted(oid) : known->name;
}

// --- values

using CodePoints = std::u32string;

/// RFC 3629 3: octets behind the first one; nothing when it can be none.
std::optional<unsigned> continuations(std::uint8_t lead) {
    if (lead < 0x80)
        return 0;
    if (lead < 0xc2) // a continuation, or longer than need be
        return std::nullopt;
    if (lead < 0xe0)
        return 1;
    if (lead < 0xf0)
        return 2;
    return lead < 0xf5 ? std::optional{3U} : std::nullopt;
}

/// Nothing for octets that are none.
std::optional<CodePoints> from_utf8(ByteView octets) {
    CodePoints points;
    for (std::size_t i = 0; i < octets.size();) {
        const std::uint8_t lead = octets[i++];
        const std::optional<unsigned> more = continuations(lead);
        if (!more || octets.size() - i < *more)
            return std::nullopt;
        char32_t point = *more == 0 ? lead : lead & (0x3fU >> *more);
        for (unsigned n = 0; n < *more; ++n) {
            if ((octets[i] & 0xc0) != 0x80)
                return std::nullopt;
            point = point << 6 | (octets[i++] & 0x3fU);
        }
        points += point;
    }
    return points;
}

/// `width` octets a character, big-endian.
std::optional<CodePoints> from_fixed(ByteView octets, std::size_t width) {
    if (octets.size() % width != 0)
        return std::nullopt;
    CodePoints points;
    for (std::size_t i = 0; i < octets.size(); i += width) {
        char32_t point = 0;
        for (std::size_t n = 0; n < width; ++n)
            point = point << 8 | octets[i + n];
        points += point;
    }
    return points;
}

std::optional<CodePoints> characters_of(const Element& value) {
    switch (value.tag) {
    case Tag::Utf8String:
        return from_utf8(value.content);
    case Tag::BmpString:
        return from_fixed(value.content, 2);
    case Tag::UniversalString:
        return from_fixed(value.content, 4);
    case Tag::NumericString:
    case Tag::PrintableString:
    case Tag::T61String: // as everybody writes it: Latin-1
    case Tag::Ia5String:
    case Tag::VisibleString:
        return from_fixed(value.content, 1);
    default:
        return std::nullopt;
    }
}

bool is_character(char32_t point) {
    const bool control = point < 0x20 || (point >= 0x7f && point < 0xa0);
    const bool surrogate = point >= 0xd800 && point < 0xe000;
    return !control && !surrogate && point <= 0x10ffff;
}

void append_utf8(std::string& text, char32_t point) {
    if (point < 0x80) {
        text += static_cast<char>(point);
        return;
    }
    const unsigned more = point < 0x800 ? 1 : 2 + static_cast<unsigned>(point >= 0x10000);
    constexpr std::array<char32_t, 4> kLeads = {0, 0xc0, 0xe0, 0xf0};
    text += static_cast<char>(kLeads.at(more) | point >> 6 * more);
    for (unsigned left = more; left-- > 0;)
        text += static_cast<char>(0x80 | (point >> 6 * left & 0x3f));
}

/// RFC 4514 2.4.
bool is_escaped(const CodePoints& value, std::size_t place) {
    constexpr std::u32string_view kAlways = U"\"+,;<>\\";
    if (kAlways.find(value[place]) != std::u32string_view::npos)
        return true;
    return (place == 0 && (value[place] == U' ' || value[place] == U'#')) ||
           (place + 1 == value.size() && value[place] == U' ');
}

std::string attribute_value(const Element& value) {
    constexpr std::size_t kShown = 128;
    const std::optional<CodePoints> characters = characters_of(value);
    if (!characters)
        return "?";
    std::string text;
    for (std::size_t i = 0; i < characters->size() && i < kShown; ++i) {
        const char32_t point = (*characters)[i];
        if (is_escaped(*characters, i))
            text += '\\';
        append_utf8(text, is_character(point) ? point : U'?');
    }
    return text;
}

/// AttributeTypeAndValue ::= SEQUENCE { type OBJECT IDENTIFIER, value ANY }
Result<std::string> read_attribute(Reader& set) {
    Reader pair{TRY(read(set, Tag::Sequence))};
    const ByteView type = TRY(read(pair, Tag::ObjectIdentifier));
    const Element value = TRY(read_element(pair));
    if (!pair.empty())
        return fail(ErrorCode::Malformed, "octets behind an attribute of a name");
    return attribute_name(type) + "=" + attribute_value(value);
}

} // namespace

Result<std::vector<std::string>> name_attributes(ByteView der) {
    Reader whole{der};
    Reader names{TRY(read(whole, Tag::Sequence))};
    if (!whole.empty())
        return fail(ErrorCode::Malformed, "octets behind a name");
    std::vector<std::string> attributes;
    while (!names.empty())
        for (Reader set{TRY(read(names, Tag::Set))}; !set.empty();)
            attributes.push_back(TRY(read_attribute(set)));
    std::ranges::reverse(attributes);
    return attributes;
}

Result<std::string> name_text(ByteView der) {
    std::string text;
    for (const std::string& attribute : TRY(name_attributes(der)))
        text += (text.empty() ? "" : ",") + attribute;
    return text.empty() ? "(no name)" : text;
}

} // namespace adit::ike

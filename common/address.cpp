// SPDX-License-Identifier: Apache-2.0
#include "common/address.h"

#include <bit>
#include <charconv>

namespace adit {

std::string to_string(Ipv4Address address) {
    const std::uint32_t v = address.value;
    return std::to_string(v >> 24) + '.' + std::to_string(v >> 16 & 0xff) + '.' +
           std::to_string(v >> 8 & 0xff) + '.' + std::to_string(v & 0xff);
}

Result<Ipv4Address> parse_ipv4(std::string_view text) {
    const std::string_view whole = text;
    const auto bad = [&] {
        return fail(ErrorCode::Invalid, "'" + std::string(whole) + "' is not an IPv4 address");
    };
    std::uint32_t value = 0;
    for (int part = 0; part < 4; ++part) {
        if (part > 0) {
            if (text.empty() || text.front() != '.')
                return bad();
            text.remove_prefix(1);
        }
        unsigned octet = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), octet);
        const auto digits = static_cast<std::size_t>(end - text.data());
        if (error != std::errc{} || octet > 255 || (digits > 1 && text.front() == '0'))
            return bad();
        text.remove_prefix(digits);
        value = value << 8 | octet;
    }
    if (!text.empty())
        return bad();
    return Ipv4Address{value};
}

std::string to_string(Ipv4Prefix prefix) {
    return to_string(prefix.address) + '/' + std::to_string(prefix.length);
}

Result<Ipv4Prefix> parse_ipv4_prefix(std::string_view text) {
    const std::size_t slash = text.find('/');
    if (slash == std::string_view::npos)
        return fail(ErrorCode::Invalid, "'" + std::string(text) + "' has no /length");
    const Ipv4Address address = TRY(parse_ipv4(text.substr(0, slash)));
    const std::string_view digits = text.substr(slash + 1);
    unsigned length = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
    if (error != std::errc{} || end != digits.data() + digits.size() || length > 32)
        return fail(ErrorCode::Invalid, "'" + std::string(digits) + "' is not a prefix length");
    if ((address.value & ~mask_of_length(length)) != 0)
        return fail(ErrorCode::Invalid, "'" + std::string(text) + "' has host bits set");
    return Ipv4Prefix{address, static_cast<std::uint8_t>(length)};
}

Result<std::uint8_t> mask_length(Ipv4Address mask) {
    const int length = std::countl_one(mask.value);
    if (mask_of_length(static_cast<unsigned>(length)) != mask.value)
        return fail(ErrorCode::Invalid, "'" + to_string(mask) + "' is not a contiguous mask");
    return static_cast<std::uint8_t>(length);
}

std::string to_string(Endpoint endpoint) {
    return to_string(endpoint.address) + ':' + std::to_string(endpoint.port);
}

std::string ident_string(const Ipv4Range& range, std::uint8_t protocol, const PortRange& port) {
    const std::uint32_t span = range.first.value ^ range.last.value;
    const bool is_prefix = (span & (span + 1)) == 0 && (range.first.value & span) == 0;
    std::string text = to_string(range.first);
    text += is_prefix ? '/' + to_string(Ipv4Address{~span}) : '-' + to_string(range.last);
    text += '/' + std::to_string(protocol) + '/';
    if (port.is_any())
        text += '0';
    else if (port.first == port.last)
        text += std::to_string(port.first);
    else
        text += std::to_string(port.first) + '-' + std::to_string(port.last);
    return text;
}

} // namespace adit

// SPDX-License-Identifier: Apache-2.0
#include "control/ike/payload_id.h"

#include "control/ike/distinguished_name.h"

#include <algorithm>

namespace adit::ike {

namespace {

Ipv4Address address_at(const Bytes& data, std::size_t offset) {
    return Ipv4Address{load_be<std::uint32_t>(data.data() + offset)};
}

void append(Bytes& data, Ipv4Address address) {
    const std::size_t offset = data.size();
    data.resize(offset + sizeof address.value);
    store_be(data.data() + offset, address.value);
}

/// The length the type asks for; nothing when it varies.
std::optional<std::size_t> fixed_length(IdType type) {
    switch (type) {
    case IdType::Ipv4Address:
        return 4;
    case IdType::Ipv4Subnet:
    case IdType::Ipv4Range:
        return 8;
    case IdType::Ipv6Address:
        return 16;
    case IdType::Ipv6Subnet:
    case IdType::Ipv6Range:
        return 32;
    default:
        return std::nullopt;
    }
}

bool is_name(IdType type) {
    return type == IdType::Fqdn || type == IdType::UserFqdn;
}

bool is_printable(std::uint8_t octet) {
    return octet > 0x20 && octet < 0x7f;
}

Result<Ipv4Range> range_of(const Identity& identity) {
    if (identity.type == IdType::Ipv4Address)
        return Ipv4Range::host(address_at(identity.data, 0));
    if (identity.type == IdType::Ipv4Range) {
        const Ipv4Range range{address_at(identity.data, 0), address_at(identity.data, 4)};
        if (range.last < range.first)
            return fail(ErrorCode::Malformed, "range runs backwards");
        return range;
    }
    if (identity.type == IdType::Ipv6Address || identity.type == IdType::Ipv6Subnet ||
        identity.type == IdType::Ipv6Range)
        return fail(ErrorCode::Unsupported, name(identity.type) + ": IPv6 is not supported");
    if (identity.type != IdType::Ipv4Subnet)
        return fail(ErrorCode::Unsupported, name(identity.type) + " is no IPv4 selector");
    const std::uint8_t length = TRY(mask_length(address_at(identity.data, 4)));
    const Ipv4Address base{address_at(identity.data, 0).value & mask_of_length(length)};
    return Ipv4Range::of({base, length});
}

/// The netmask when the range is exactly a prefix.
std::optional<std::uint32_t> mask_of(const Ipv4Range& range) {
    const std::uint32_t hosts = range.first.value ^ range.last.value;
    const bool contiguous = (hosts & (hosts + 1)) == 0;
    if (!contiguous || (range.first.value & hosts) != 0)
        return std::nullopt;
    return ~hosts;
}

} // namespace

Result<Identity> parse_identity(ByteView body) {
    Reader reader{body};
    Identity identity;
    identity.type = from_wire<IdType>(TRY(reader.u8()));
    identity.protocol = TRY(reader.u8());
    identity.port = TRY(reader.u16());
    identity.data = to_bytes(reader.rest());
    if (identity.data.empty() || identity.data.size() > kMaxIdentityBytes)
        return fail(ErrorCode::Malformed,
                    "identity of " + std::to_string(identity.data.size()) + " octets");
    const auto length = fixed_length(identity.type);
    if (length && identity.data.size() != *length)
        return fail(ErrorCode::Malformed,
                    name(identity.type) + " of " + std::to_string(identity.data.size()) +
                        " octets");
    if (is_name(identity.type) && !std::ranges::all_of(identity.data, is_printable))
        return fail(ErrorCode::Malformed, "name with unprintable characters");
    return identity;
}

Bytes build_identity(const Identity& identity) {
    Writer writer;
    writer.u8(to_wire(identity.type));
    writer.u8(identity.protocol);
    writer.u16(identity.port);
    writer.append(identity.data);
    return std::move(writer).take();
}

Identity identity_of(Ipv4Address address) {
    Identity identity{IdType::Ipv4Address, 0, 0, {}};
    append(identity.data, address);
    return identity;
}

std::optional<Ipv4Address> address_of(const Identity& identity) {
    if (identity.type != IdType::Ipv4Address)
        return std::nullopt;
    return address_at(identity.data, 0);
}

std::string to_string(const Identity& identity) {
    if (const auto address = address_of(identity))
        return to_string(*address);
    if (is_name(identity.type))
        return to_text(identity.data);
    if (const auto client = client_range(identity))
        return to_string(*client);
    if (identity.type == IdType::DerDn)
        if (const auto text = name_text(identity.data))
            return *text;
    constexpr std::size_t kShown = 32;
    const ByteView data{identity.data};
    // RFC 2407 4.6.2.12 has octets; what routers and clients send is the name of a group.
    if (identity.type == IdType::KeyId && !data.empty() && data.size() <= kShown &&
        std::ranges::all_of(data, [](std::uint8_t octet) { return octet > ' ' && octet < 0x7f; }))
        return to_text(data);
    return name(identity.type) + " 0x" + to_hex(data.first(std::min(data.size(), kShown)));
}

Result<ClientRange> client_range(const Identity& identity) {
    ClientRange client;
    client.range = TRY(range_of(identity));
    client.protocol = identity.protocol;
    if (identity.protocol == 0 && identity.port != 0)
        return fail(ErrorCode::Malformed,
                    "port " + std::to_string(identity.port) + " without a protocol");
    // RFC 2407 4.6.2: port 0 is every port.
    if (identity.port != 0)
        client.port = {identity.port, identity.port};
    return client;
}

Identity client_identity(const ClientRange& client) {
    Identity identity;
    identity.protocol = client.protocol;
    identity.port = client.port.first == client.port.last ? client.port.first : std::uint16_t{0};
    const auto mask = mask_of(client.range);
    if (mask == 0xffffffff) {
        identity.type = IdType::Ipv4Address;
        append(identity.data, client.range.first);
        return identity;
    }
    identity.type = mask ? IdType::Ipv4Subnet : IdType::Ipv4Range;
    append(identity.data, client.range.first);
    append(identity.data, mask ? Ipv4Address{*mask} : client.range.last);
    return identity;
}

std::string to_string(const ClientRange& client) {
    return ident_string(client.range, client.protocol, client.port);
}

} // namespace adit::ike

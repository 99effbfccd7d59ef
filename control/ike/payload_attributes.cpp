// SPDX-License-Identifier: Apache-2.0
#include "control/ike/payload_attributes.h"

#include <algorithm>

namespace adit::ike {

namespace {

Result<ConfigAttributeView> parse_attribute(Reader& reader) {
    const std::uint16_t type = TRY(reader.u16());
    const auto attribute =
        from_wire<ConfigAttribute>(static_cast<std::uint16_t>(type & ~kAttributeFormatBasic));
    if ((type & kAttributeFormatBasic) != 0)
        return ConfigAttributeView{attribute, TRY(reader.take(sizeof(std::uint16_t)))};
    const std::uint16_t length = TRY(reader.u16());
    if (length > kMaxConfigValueBytes)
        return fail(ErrorCode::Malformed,
                    name(attribute) + " of " + std::to_string(length) + " octets");
    return ConfigAttributeView{attribute, TRY(reader.take(length))};
}

} // namespace

const ConfigAttributeView* ConfigPayload::find(ConfigAttribute type) const {
    const auto found = std::ranges::find(attributes, type, &ConfigAttributeView::type);
    return found == attributes.end() ? nullptr : &*found;
}

bool ConfigPayload::is_xauth() const {
    return std::ranges::any_of(attributes, [](const ConfigAttributeView& attribute) {
        return attribute.type >= ConfigAttribute::XauthType &&
               attribute.type <= ConfigAttribute::XauthAnswer;
    });
}

// draft-ietf-ipsec-isakmp-mode-cfg-05 3.2: type, reserved octet, identifier, attributes. The
// reserved octet is not looked at: it is the sender's to set, and clients in the field do.
Result<ConfigPayload> parse_config_payload(ByteView body) {
    Reader reader{body};
    ConfigPayload payload;
    payload.message = from_wire<ConfigMessage>(TRY(reader.u8()));
    TRY_VOID(reader.u8());
    payload.identifier = TRY(reader.u16());
    while (!reader.empty()) {
        if (payload.attributes.size() == kMaxConfigAttributes)
            return fail(ErrorCode::Exhausted,
                        "more than " + std::to_string(kMaxConfigAttributes) + " attributes");
        payload.attributes.push_back(TRY(parse_attribute(reader)));
    }
    return payload;
}

Result<std::uint16_t> short_value(const ConfigAttributeView& attribute) {
    if (attribute.value.size() == 1)
        return attribute.value.front();
    if (attribute.value.size() == sizeof(std::uint16_t))
        return load_be<std::uint16_t>(attribute.value.data());
    return fail(ErrorCode::Malformed,
                name(attribute.type) + " of " + std::to_string(attribute.value.size()) +
                    " octets where a number of two was due");
}

ConfigWriter::ConfigWriter(ConfigMessage message, std::uint16_t identifier) {
    writer_.u8(to_wire(message));
    writer_.u8(0);
    writer_.u16(identifier);
}

ConfigWriter& ConfigWriter::add_short(ConfigAttribute type, std::uint16_t value) {
    writer_.u16(to_wire(type) | kAttributeFormatBasic);
    writer_.u16(value);
    return *this;
}

ConfigWriter& ConfigWriter::add(ConfigAttribute type, ByteView value) {
    writer_.u16(to_wire(type));
    writer_.u16(static_cast<std::uint16_t>(value.size()));
    writer_.append(value);
    return *this;
}

ConfigWriter& ConfigWriter::add(ConfigAttribute type, std::string_view text) {
    return add(type, as_bytes(text));
}

ConfigWriter& ConfigWriter::add(ConfigAttribute type, Ipv4Address address) {
    writer_.u16(to_wire(type));
    writer_.u16(sizeof address.value);
    writer_.u32(address.value);
    return *this;
}

Bytes split_network(Ipv4Prefix network) {
    Writer writer;
    writer.u32(network.address.value);
    writer.u32(network.mask().value);
    writer.u16(0); // protocol: all
    writer.u16(0); // ports: all
    writer.u16(0);
    return std::move(writer).take();
}

} // namespace adit::ike

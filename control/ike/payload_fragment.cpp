// SPDX-License-Identifier: Apache-2.0
#include "control/ike/payload_fragment.h"

#include <algorithm>

namespace adit::ike {

namespace {

// [MS-IKEE] 2.2.3.1: all other bits are ignored on receipt.
constexpr std::uint8_t kFlagLast = 1 << 0;

} // namespace

Result<Fragment> parse_fragment(ByteView datagram) {
    // A fragment never hides another one: the chain has exactly one payload.
    const auto chain =
        TRY(parse_chain(PayloadType::Fragment, datagram.subspan(kHeaderBytes), Padding::Refused));
    if (chain.size() != 1)
        return fail(ErrorCode::Malformed, "a fragment with other payloads");
    Reader reader{chain.front().body};
    Fragment fragment;
    fragment.id = TRY(reader.u16());
    fragment.number = TRY(reader.u8());
    fragment.last = (TRY(reader.u8()) & kFlagLast) != 0;
    fragment.data = reader.rest();
    if (fragment.number == 0)
        return fail(ErrorCode::Malformed, "fragment number 0");
    if (fragment.data.empty())
        return fail(ErrorCode::Malformed, "a fragment without data");
    return fragment;
}

std::vector<Bytes>
fragments_of(ByteView message, Header header, std::uint16_t id, std::size_t datagram_bytes) {
    ENSURE(datagram_bytes > kFragmentOverhead);
    const std::size_t room = datagram_bytes - kFragmentOverhead;
    const std::size_t count = (message.size() + room - 1) / room;
    if (count > kMaxFragments)
        return {};
    // [MS-IKEE] 3.3.6.1: the message's own header with the first payload changed and the
    // encryption flag cleared.
    header.next_payload = PayloadType::Fragment;
    header.flags = 0;
    std::vector<Bytes> datagrams;
    for (std::size_t number = 1; number <= count; ++number) {
        const ByteView data = message.first(std::min(room, message.size()));
        message = message.subspan(data.size());
        Writer writer;
        write_header(writer, header);
        writer.u8(to_wire(PayloadType::None));
        writer.u8(0);
        writer.u16(static_cast<std::uint16_t>(kFragmentOverhead - kHeaderBytes + data.size()));
        writer.u16(id);
        writer.u8(static_cast<std::uint8_t>(number));
        writer.u8(number == count ? kFlagLast : 0);
        writer.append(data);
        patch_length(writer);
        datagrams.push_back(std::move(writer).take());
    }
    return datagrams;
}

} // namespace adit::ike

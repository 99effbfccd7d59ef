// SPDX-License-Identifier: Apache-2.0
#include "control/ike/message.h"

#include <algorithm>

namespace adit::ike {

const Payload* Message::find(PayloadType type) const {
    const auto found = std::ranges::find(payloads, type, &Payload::type);
    return found == payloads.end() ? nullptr : &*found;
}

std::size_t Message::count(PayloadType type) const {
    return static_cast<std::size_t>(std::ranges::count(payloads, type, &Payload::type));
}

std::size_t Message::payloads_bytes() const {
    std::size_t bytes = 0;
    for (const Payload& payload : payloads)
        bytes += payload.whole.size();
    return bytes;
}

ByteView Message::behind_first() const {
    if (payloads.size() < 2)
        return {};
    const std::uint8_t* from = payloads[1].whole.data();
    const std::uint8_t* to = payloads.back().whole.data() + payloads.back().whole.size();
    return {from, to};
}

Result<Message> parse_clear(ByteView datagram) {
    Message message;
    message.header = TRY(parse_header(datagram));
    message.payloads = TRY(
        parse_chain(message.header.next_payload, datagram.subspan(kHeaderBytes), Padding::Refused));
    return message;
}

Result<Message> parse_encrypted(MutableBytes datagram, const IvChain& chain, ByteView key) {
    Message message;
    message.header = TRY(parse_header(datagram));
    const MutableBytes body = datagram.subspan(kHeaderBytes);
    TRY_VOID(chain.decrypt(key, body));
    message.payloads = TRY(parse_chain(message.header.next_payload, body, Padding::Allowed));
    return message;
}

MessageBuilder& MessageBuilder::add(PayloadType type, Bytes body) {
    payloads_.emplace_back(type, std::move(body));
    return *this;
}

MessageBuilder& MessageBuilder::append(const MessageBuilder& others) {
    payloads_.insert(payloads_.end(), others.payloads_.begin(), others.payloads_.end());
    return *this;
}

void MessageBuilder::set(std::size_t index, Bytes body) {
    payloads_.at(index).second = std::move(body);
}

Bytes MessageBuilder::chain(std::size_t from) const {
    Writer writer;
    for (std::size_t i = from; i < payloads_.size(); ++i) {
        const bool last = i + 1 == payloads_.size();
        writer.u8(to_wire(last ? PayloadType::None : payloads_[i + 1].first));
        writer.u8(0);
        writer.u16(static_cast<std::uint16_t>(kGenericHeaderBytes + payloads_[i].second.size()));
        writer.append(payloads_[i].second);
    }
    return std::move(writer).take();
}

Bytes MessageBuilder::clear(Header header) const {
    header.next_payload = payloads_.empty() ? PayloadType::None : payloads_.front().first;
    Writer writer;
    write_header(writer, header);
    writer.append(chain());
    patch_length(writer);
    return std::move(writer).take();
}

Bytes MessageBuilder::encrypted(Header header, IvChain& iv_chain, ByteView key) const {
    header.next_payload = payloads_.empty() ? PayloadType::None : payloads_.front().first;
    header.flags |= kFlagEncryption;
    Bytes body = chain();
    const std::size_t block = iv_chain.iv().size();
    body.resize((body.size() + block - 1) / block * block);
    ENSURE(iv_chain.encrypt(key, body));
    Writer writer;
    write_header(writer, header);
    writer.append(body);
    patch_length(writer);
    return std::move(writer).take();
}

} // namespace adit::ike

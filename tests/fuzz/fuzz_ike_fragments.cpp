// SPDX-License-Identifier: Apache-2.0
// Fragments of IKE from a peer that holds a tunnel and from strangers, in any order and form. The
// memory they take stays within its bounds, everything is given back by the clock, and the tunnel
// stays.
//
// Input: fragments of 6 octets and data: flags (bit 0 last, bit 1 from a stranger, bit 2 without
// the responder's cookie), id, number, seconds to wait before, two octets of data length (cut to
// what is left).
#include "control/ike/message.h"
#include "control/ike/reassembly.h"
#include "tests/support/ike_network.h"

namespace {

using namespace adit;
using namespace adit::ike;
using namespace std::chrono_literals;

constexpr std::uint8_t kLast = 1;
constexpr std::uint8_t kStranger = 2;
constexpr std::uint8_t kFirstMessage = 4;

Bytes datagram_of(const Header& header, const Fragment& fragment) {
    Writer writer;
    write_header(writer, header);
    writer.u8(0);
    writer.u8(0);
    writer.u16(static_cast<std::uint16_t>(8 + fragment.data.size()));
    writer.u16(fragment.id);
    writer.u8(fragment.number);
    writer.u8(fragment.last ? 1 : 0);
    writer.append(fragment.data);
    patch_length(writer);
    return std::move(writer).take();
}

struct Script {
    std::uint8_t flags;
    std::uint8_t wait_seconds;
    Fragment fragment;
};

std::vector<Script> read_script(ByteView input) {
    constexpr std::size_t kMaxSteps = 600;
    std::vector<Script> script;
    Reader reader{input};
    while (reader.left() >= 6 && script.size() < kMaxSteps) {
        Script step{};
        step.flags = *reader.u8();
        step.fragment.id = *reader.u8();
        step.fragment.number = *reader.u8();
        step.wait_seconds = *reader.u8();
        step.fragment.last = (step.flags & kLast) != 0;
        const std::size_t length = *reader.u16();
        step.fragment.data = *reader.take(std::min(length, reader.left()));
        script.push_back(step);
    }
    return script;
}

/// The table alone.
void fill_table(const std::vector<Script>& script) {
    Reassembly table;
    Instant now{1h};
    for (const Script& step : script) {
        now += std::chrono::seconds{step.wait_seconds % 4};
        (void)table.expire(now);
        const bool stranger = (step.flags & kStranger) != 0;
        const FragmentSource source{
            {test::kLeft, 500}, {Ipv4Address{stranger ? 1U : 2U}, 500}, {}, step.fragment.id};
        if (step.fragment.number != 0 && !step.fragment.data.empty())
            (void)table.add(source,
                            step.fragment,
                            stranger ? Reassembly::From::Stranger : Reassembly::From::Configured,
                            now);
        ENSURE(table.bytes() <= 2 * Reassembly::kMaxPeerBytes);
        ENSURE((table.bytes() == 0) == (table.messages() == 0));
    }
    (void)table.expire(now + Reassembly::kReassemblyTime);
    ENSURE(table.bytes() == 0 && !table.next_deadline());
}

/// An engine with a tunnel.
void attack_tunnel(const std::vector<Script>& script) {
    test::Network network{1};
    test::Gateway& a = network.add("left", test::kLeft, test::left_config(), 1);
    test::Gateway& b = network.add("right", test::kRight, test::right_config(), 2);
    network.give(a, test::initiate());
    network.run_for(1s);
    Header header;
    header.cookies = {b.engine.isakmp_sas().front().initiator_cookie,
                      b.engine.isakmp_sas().front().responder_cookie};
    header.exchange = ExchangeType::IdentityProtection;
    header.next_payload = PayloadType::Fragment;
    for (const Script& step : script) {
        Header each = header;
        if ((step.flags & kFirstMessage) != 0)
            each.cookies.responder = Cookie{};
        const Ipv4Address from =
            (step.flags & kStranger) != 0 ? Ipv4Address{203, 0, 113, 9} : test::kLeft;
        network.give_datagram(b, {from, 500}, 500, datagram_of(each, step.fragment));
        network.run_for(std::chrono::seconds{step.wait_seconds % 4});
    }
    ENSURE(a.engine.child_sas().size() == 1 && b.engine.child_sas().size() == 1);
    network.give(a, Shutdown{});
    network.give(b, Shutdown{});
    network.run_for(130s);
    ENSURE(a.is_empty());
    ENSURE(b.is_empty());
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::vector<Script> script = read_script({data, size});
    fill_table(script);
    attack_tunnel(script);
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
// A whole engine against a scripted peer that misbehaves: a real negotiation runs, and the input
// says at which message what is changed, doubled, dropped or put in. The keys are the peer's own,
// so encrypted payloads are reached too. Whatever happens ends: no timer runs for ever.
//
// Input: steps of 4 octets: message number, kind of mischief, two octets of position or value.
#include "control/ike/message.h"
#include "tests/support/ike_network.h"

namespace {

using namespace adit;
using namespace adit::ike;
using namespace std::chrono_literals;

struct Mischief {
    std::uint8_t message;
    std::uint8_t kind;
    std::uint16_t value;
};

std::vector<Mischief> read_script(ByteView input) {
    constexpr std::size_t kMaxSteps = 16;
    std::vector<Mischief> script;
    Reader reader{input};
    while (reader.left() >= 4 && script.size() < kMaxSteps)
        script.push_back({*reader.u8(), *reader.u8(), *reader.u16()});
    return script;
}

/// False when the original must not travel.
bool disturb(test::Network& network,
             test::Gateway& to,
             const SendDatagram& send,
             const Mischief& mischief) {
    Bytes changed = send.payload;
    const std::size_t at = mischief.value % changed.size();
    switch (mischief.kind % 6) {
    case 0:
        changed[at] = static_cast<std::uint8_t>(changed[at] ^ (1U << (mischief.kind / 6 % 8)));
        break;
    case 1:
        changed.resize(at);
        break;
    case 2:
        changed.insert(changed.end(), send.payload.begin(), send.payload.end());
        break;
    case 3:
        break; // doubled
    case 4:
        return false;
    default:
        changed.resize(at);
        if (changed.size() >= kHeaderBytes) // cut, with a header that agrees
            store_be(changed.data() + 24, static_cast<std::uint32_t>(changed.size()));
        break;
    }
    network.give_datagram(to, send.local, send.remote.port, std::move(changed));
    return mischief.kind < 0x80;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::vector<Mischief> script = read_script({data, size});
    test::Network network{1};
    test::Gateway& a = network.add("left", test::kLeft, test::left_config(), 1);
    test::Gateway& b = network.add("right", test::kRight, test::right_config(), 2);
    unsigned count = 0;
    network.tap = [&](const SendDatagram& send) {
        ++count;
        bool travels = true;
        for (const Mischief& mischief : script)
            if (mischief.message == count)
                travels &=
                    disturb(network, send.remote.address == test::kLeft ? a : b, send, mischief);
        return travels;
    };
    network.give(a, test::initiate());
    network.run_for(130s);
    network.give(a, Shutdown{});
    network.give(b, Shutdown{});
    network.run_for(130s);
    ENSURE(a.is_empty());
    ENSURE(b.is_empty());
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
#include "dataplane/port_spec.h"

#include "common/ipc/stats.h"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace adit::dataplane {

namespace {

/// Ethernet header, two VLAN tags and the checksum: what the most demanding drivers add to the MTU.
constexpr std::uint32_t kFrameOverheadBytes = 14 + 2 * 4 + 4;
constexpr std::uint32_t kMinFrameRoomBytes = 2048;
/// ixgbe counts its buffers in these.
constexpr std::uint32_t kFrameRoomStepBytes = 1024;
constexpr std::uint32_t kPageBytes = 4096;
/// In front of a frame in af_packet's ring: TPACKET2_HDRLEN, alignment, and room for a VLAN tag.
constexpr std::uint32_t kRingHeaderBytes = 80;
/// af_packet's own choice, enough for 1500.
constexpr std::uint32_t kDefaultRingFrameBytes = 2048;

constexpr std::uint32_t round_up(std::uint32_t value, std::uint32_t step) {
    return (value + step - 1) / step * step;
}

constexpr std::uint32_t ring_frame_for(std::uint32_t mtu) {
    const std::uint32_t bytes = mtu + kFrameOverheadBytes + kRingHeaderBytes;
    return bytes <= kDefaultRingFrameBytes ? kDefaultRingFrameBytes : round_up(bytes, kPageBytes);
}

Result<std::uint16_t> parse_mtu(const std::string& port, const std::string& text) {
    std::uint16_t mtu = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), mtu);
    if (error != std::errc{} || end != text.data() + text.size() || mtu < kMinPortMtu ||
        mtu > kMaxPortMtu)
        return fail(ErrorCode::Invalid,
                    "--port " + port + ": mtu=" + text + " is not between " +
                        std::to_string(kMinPortMtu) + " and " + std::to_string(kMaxPortMtu));
    return mtu;
}

/// Takes ",KEY=VALUE" out of `devargs`; nothing when it is not there.
std::optional<std::string> take_option(std::string& devargs, const std::string& key) {
    const std::string mark = "," + key + "=";
    const std::size_t at = devargs.find(mark);
    if (at == std::string::npos)
        return std::nullopt;
    const std::size_t end = std::min(devargs.find(',', at + 1), devargs.size());
    std::string value = devargs.substr(at + mark.size(), end - at - mark.size());
    devargs.erase(at, end - at);
    return value;
}

} // namespace

Result<PortSpec> PortSpec::parse(const std::string& text) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == text.size())
        return fail(ErrorCode::Invalid,
                    "--port '" + text +
                        "' is not NAME=DEVICE; for example "
                        "--port GigabitEthernet0/0=net_af_packet0,iface=wan");
    PortSpec spec{text.substr(0, equals), text.substr(equals + 1)};
    if (spec.name.size() >= ipc::kPortNameBytes)
        return fail(ErrorCode::Invalid,
                    "--port name '" + spec.name + "' is longer than " +
                        std::to_string(ipc::kPortNameBytes - 1) + " characters");
    if (const auto mtu = take_option(spec.devargs, "mtu"))
        spec.mtu = TRY(parse_mtu(spec.name, *mtu));
    return spec;
}

bool PortSpec::is_pci() const {
    const std::string address = device();
    return address.find(':') != std::string::npos &&
           std::isxdigit(static_cast<unsigned char>(address.front())) != 0;
}

std::string PortSpec::device() const {
    return devargs.substr(0, devargs.find(','));
}

bool PortSpec::is_af_packet() const {
    return device().find("_af_packet") != std::string::npos;
}

bool PortSpec::has_option(const std::string& key) const {
    return devargs.find("," + key + "=") != std::string::npos;
}

std::string PortSpec::kernel_interface() const {
    std::string rest = devargs;
    return take_option(rest, "iface").value_or("");
}

std::string PortSpec::devargs_for(std::uint16_t workers, std::uint16_t port_mtu) const {
    std::string text = devargs;
    if (!is_af_packet())
        return text;
    if (workers > 1 && !has_option("qpairs"))
        text += ",qpairs=" + std::to_string(workers);
    const std::string frame = std::to_string(ring_frame_for(port_mtu));
    // One frame a block: the kernel lets none lie across two, and DPDK expects no gaps.
    if (ring_frame_for(port_mtu) > kDefaultRingFrameBytes && !has_option("framesz"))
        text += ",framesz=" + frame + ",blocksz=" + frame;
    return text;
}

std::uint16_t PortSpec::frame_room_bytes(std::uint16_t port_mtu) const {
    // af_packet wants a buffer as long as its ring's frame.
    const std::uint32_t frame = is_af_packet()
                                    ? ring_frame_for(port_mtu)
                                    : round_up(port_mtu + kFrameOverheadBytes, kFrameRoomStepBytes);
    return static_cast<std::uint16_t>(std::max(frame, kMinFrameRoomBytes));
}

} // namespace adit::dataplane

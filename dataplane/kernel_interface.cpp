// SPDX-License-Identifier: Apache-2.0
#include "dataplane/kernel_interface.h"

#include <cstring>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace adit::dataplane {

namespace {

ifreq request_for(const std::string& name) {
    ifreq request{};
    std::strncpy(request.ifr_name, name.c_str(), IFNAMSIZ - 1);
    return request;
}

} // namespace

Result<KernelInterface> KernelInterface::find(const std::string& port, const std::string& name) {
    if (if_nametoindex(name.c_str()) == 0)
        return fail(ErrorCode::NotFound,
                    "port " + port + ": there is no network interface '" + name +
                        "' here; create it, or correct iface= (ip link shows those there are)");
    const UniqueFd raw{socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0)};
    if (!raw.valid())
        return fail(ErrorCode::Denied,
                    "port " + port + ": no permission to open interface '" + name +
                        "'; run as root, or with the capability CAP_NET_RAW");
    return KernelInterface{name, UniqueFd{socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)}};
}

std::uint32_t KernelInterface::mtu() const {
    ifreq request = request_for(name_);
    if (ioctl(socket_.get(), SIOCGIFMTU, &request) != 0 || request.ifr_mtu < 0)
        return 0;
    return static_cast<std::uint32_t>(request.ifr_mtu);
}

bool KernelInterface::running() const {
    ifreq request = request_for(name_);
    constexpr short kRunning = IFF_UP | IFF_RUNNING;
    return ioctl(socket_.get(), SIOCGIFFLAGS, &request) == 0 &&
           (request.ifr_flags & kRunning) == kRunning;
}

} // namespace adit::dataplane

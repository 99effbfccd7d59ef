// SPDX-License-Identifier: Apache-2.0
// DPDK 22.11's af_packet driver joins a fanout group with PACKET_FANOUT_FLAG_DEFRAG, even with one
// queue and without a way to say no (its later versions have one): the kernel then reassembles
// every fragmented datagram and cuts it off at the driver's 2048 octets. A router must see the
// fragments.
//
// The driver is a plugin, so its call is bound at run time: the executable's own setsockopt comes
// before the C library's. This one takes that flag out of that option and changes nothing else.
//
// Threading: any; no state.
#include <cstring>
#include <linux/if_packet.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

extern "C" int
setsockopt(int fd, int level, int option, const void* value, socklen_t length) noexcept {
    int fanout = 0;
    if (level == SOL_PACKET && option == PACKET_FANOUT && length == sizeof fanout) {
        std::memcpy(&fanout, value, sizeof fanout);
        // The flags are in the upper half of the word.
        fanout &= ~(PACKET_FANOUT_FLAG_DEFRAG << 16);
        value = &fanout;
    }
    return static_cast<int>(syscall(SYS_setsockopt, fd, level, option, value, length));
}

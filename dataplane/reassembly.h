// SPDX-License-Identifier: Apache-2.0
// Reassembly of IPv4 datagrams addressed to us (RFC 791 3.2, RFC 815): IKE messages and ESP packets
// that were fragmented on the way, and long pings. Forwarded fragments never come here.
//
// Bounded in every direction, since anybody can send first fragments: kMaxDatagrams in all,
// kMaxPerSource of one sender, kMaxFragments a datagram, kTimeoutNs. A datagram whose fragments
// overlap is dropped whole; an exact repetition is dropped alone.
//
// Threading: one worker.
#pragma once

#include "dataplane/burst.h"

#include <array>
#include <cstdint>
#include <rte_mbuf.h>
#include <vector>

namespace adit::dataplane {

class Reassembly {
  public:
    static constexpr std::size_t kMaxDatagrams = 256;
    static constexpr std::size_t kMaxPerSource = 64;
    /// 10,204 octets of IKE in fragments of the 576-octet minimum path need 19.
    static constexpr std::size_t kMaxFragments = 24;
    static constexpr std::uint64_t kTimeoutNs = 1'000'000'000;

    explicit Reassembly(Drops& drops) : drops_(&drops), datagrams_(kMaxDatagrams) {}

    ~Reassembly();
    Reassembly(const Reassembly&) = delete;
    Reassembly& operator=(const Reassembly&) = delete;

    /// Takes a fragment whose data starts at a sound IPv4 header. Returns the whole datagram (a
    /// chain, with the first fragment's header and no fragment fields) when this was the last one
    /// missing.
    rte_mbuf* add(rte_mbuf* fragment, std::uint64_t now_ns);

    /// Drops what waited too long.
    void expire(std::uint64_t now_ns);

    [[nodiscard]] std::size_t size() const { return in_use_; }

  private:
    struct Piece {
        std::uint32_t first, end; // octets of the datagram's payload
        rte_mbuf* packet;
    };

    struct Datagram {
        std::uint32_t source{}, destination{};
        std::uint16_t id{};
        std::uint8_t protocol{};
        std::uint8_t pieces{0};         // 0: not in use
        std::uint32_t payload_bytes{0}; // 0: the last fragment is not here yet
        std::uint64_t deadline_ns{0};
        std::array<Piece, kMaxFragments> piece; // in order of `first`
    };

    Datagram* find_or_start(rte_mbuf* fragment, std::uint64_t now_ns);
    bool insert(Datagram& datagram, const Piece& piece, bool is_last);
    static bool complete(const Datagram& datagram);
    rte_mbuf* join(Datagram& datagram);
    void drop(Datagram& datagram, DropReason reason);

    Drops* drops_;
    std::vector<Datagram> datagrams_;
    std::size_t in_use_{0};
};

} // namespace adit::dataplane

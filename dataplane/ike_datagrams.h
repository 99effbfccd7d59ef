// SPDX-License-Identifier: Apache-2.0
// IKE between mbufs and records: a punted packet becomes a DatagramRecord, an injected record
// becomes IPv4 packets. Control is not believed: a record that would send anything but IKE from one
// of our addresses to one host is refused.
//
// Threading: the housekeeper.
#pragma once

#include "common/ipc/records.h"
#include "dataplane/burst.h"
#include "dataplane/tables.h"

#include <cstdint>
#include <optional>

namespace adit::dataplane {

/// `packet` as local_delivery punted it (data at the ISAKMP header); stays the caller's.
void to_record(rte_mbuf* packet, std::uint64_t now_ns, ipc::DatagramRecord& record);

class DatagramBuilder {
  public:
    /// `first_ip_id` should be random.
    DatagramBuilder(rte_mempool* pool, std::uint16_t first_ip_id)
        : pool_(pool), next_ip_id_(first_ip_id) {}

    /// Fills `to` with the datagram, in fragments when it is larger than the egress interface
    /// takes. A reason when nothing was made: InjectMalformed, NoRoute, TunnelRecursion,
    /// NoBuffer.
    [[nodiscard]] std::optional<DropReason>
    build(const ipc::DatagramRecord& record, const Tables& tables, Burst& to);

  private:
    std::optional<DropReason>
    slice(const ipc::DatagramRecord& record, std::uint32_t udp_bytes, std::uint32_t mtu, Burst& to);

    rte_mempool* pool_;
    std::uint16_t next_ip_id_;
    std::uint8_t udp_[8 + 4 + ipc::kMaxIkeDatagramBytes]; // UDP header, marker, message
};

} // namespace adit::dataplane

// SPDX-License-Identifier: Apache-2.0
// Writes the frames that a source hands out: what hosts send in clear, or what the peer really
// enciphered, with sequence numbers that rise. Tunnels are drawn at random for every packet.
#pragma once

#include "common/wire/ethernet.h"
#include "perf/loads.h"
#include "perf/topology.h"

#include <memory>
#include <random>
#include <rte_mbuf.h>
#include <span>
#include <vector>

namespace adit::perf {

struct FrameSpec {
    Suite suite;
    Encapsulation form;
    Flow flow;
    std::uint32_t tunnels;
    std::uint32_t workers{1};             // tunnel n belongs to worker n % workers
    std::vector<std::uint32_t> only = {}; // the tunnels to draw from; empty: all
};

class FrameWriter {
  public:
    explicit FrameWriter(const FrameSpec& spec) : spec_(spec) {}

    virtual ~FrameWriter() = default;

    /// Fills fresh packets, one segment each, with frames for `gateway`.
    virtual void
    write(std::span<rte_mbuf*> packets, const Load& load, const wire::MacAddress& gateway) = 0;

  protected:
    std::uint32_t next_tunnel() {
        const auto drawn = static_cast<std::uint32_t>(random_());
        return spec_.only.empty() ? drawn % spec_.tunnels : spec_.only[drawn % spec_.only.size()];
    }

    FrameSpec spec_;

  private:
    std::minstd_rand random_{7};
};

/// Aborts with a message when it cannot be made.
std::unique_ptr<FrameWriter> make_frame_writer(const FrameSpec& spec);

} // namespace adit::perf

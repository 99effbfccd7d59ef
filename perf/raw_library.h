// SPDX-License-Identifier: Apache-2.0
// IPsec-MB alone: the limit. Same lengths, as many buffers, as many keys, by the library's best
// interface for each suite: one-shot calls for GCM, synchronous bursts of 128, sorted by length,
// for CBC with HMAC. Ciphertext and ICV are not looked at.
#pragma once

#include "perf/loads.h"
#include "perf/topology.h"

#include <memory>

namespace adit::perf {

class RawLibrary {
  public:
    RawLibrary(const Suite& suite, std::uint32_t keys);
    ~RawLibrary();

    RawLibrary(const RawLibrary&) = delete;
    RawLibrary& operator=(const RawLibrary&) = delete;

    /// Ticks for a packet, over `ticks` of work after a quarter as much to warm up.
    double run(const Load& load, Flow flow, std::uint64_t ticks);

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace adit::perf

// SPDX-License-Identifier: Apache-2.0
// A memory region shared between two processes: an anonymous file (memfd) of fixed size, sealed so
// that neither side can change its size (reading past a shrunken file would be SIGBUS), left out of
// core dumps.
//
// Threading: made and destroyed by one thread; the memory itself is used as spsc_ring.h and stats.h
// say.
#pragma once

#include "common/error.h"
#include "common/unique_fd.h"

#include <cstddef>
#include <cstdint>

namespace adit::ipc {

/// What the process that receives the descriptor may do with the memory.
enum class PeerAccess : std::uint8_t {
    ReadOnly, // F_SEAL_FUTURE_WRITE: no new writable mapping, no write(2), no hole punching
    ReadWrite,
};

enum class Access : std::uint8_t {
    ReadOnly,
    ReadWrite,
};

enum class Contents : std::uint8_t {
    Counters, // pages appear when touched
    Secrets,  // kept in memory as far as RLIMIT_MEMLOCK allows, wiped by its creator on close
    Journal,  // secrets of which only touched pages exist; wiped by whoever writes them
};

class SharedRegion {
  public:
    SharedRegion() = default;

    /// Zero-filled, mapped writable here.
    static Result<SharedRegion>
    create(const char* name, std::size_t size_bytes, PeerAccess peer, Contents contents);

    /// Maps all of a region that another process made. Invalid when its size may still change or is
    /// not between `min_bytes` and `max_bytes`.
    static Result<SharedRegion> attach(UniqueFd fd,
                                       Access access,
                                       Contents contents,
                                       std::size_t min_bytes,
                                       std::size_t max_bytes);

    SharedRegion(const SharedRegion&) = delete;
    SharedRegion& operator=(const SharedRegion&) = delete;
    SharedRegion(SharedRegion&& other) noexcept;
    SharedRegion& operator=(SharedRegion&& other) noexcept;
    ~SharedRegion();

    [[nodiscard]] std::uint8_t* data() { return data_; }

    [[nodiscard]] const std::uint8_t* data() const { return data_; }

    [[nodiscard]] std::size_t size() const { return size_bytes_; }

    [[nodiscard]] int fd() const { return fd_.get(); }

  private:
    Status map(Access access, Contents contents);
    void close();

    UniqueFd fd_;
    std::uint8_t* data_{nullptr};
    std::size_t size_bytes_{0};
    bool wipe_on_close_{false};
};

} // namespace adit::ipc

// SPDX-License-Identifier: Apache-2.0
// Counts what a packet path must never do while the watch is armed: allocate, lock, call the
// kernel. Linked into a program, fast_path_watch.cpp stands in front of the C library's and DPDK's
// functions for all code in it, the shared libraries included.
//
//   allocations    malloc and its kin, so also new and delete; rte_malloc and rte_free
//   locks          POSIX mutexes, reader-writer locks and spin locks, whether they wait or not
//   system calls   syscall user dispatch (Linux 5.11): with one octet of memory the kernel is told
//   to
//                  give every system call of this thread back as a signal, also those that no
//                  library function makes. Arming costs no system call itself. clock_gettime() is
//                  none as long as the vDSO serves it, which depends on the machine's clock source.
//
// DPDK's own spin locks are inlined and cannot be seen. Not for programs with a sanitizer, whose
// runtimes stand in front of the same functions.
//
// Threading: sees only the thread that made it; one watch at a time.
#pragma once

#include <cstdint>
#include <string>

namespace adit::test {

struct Surprises {
    std::uint64_t allocations{0}; // and releases
    std::uint64_t locks{0};
    std::uint64_t system_calls{0}; // at most one for each arm(): the rest of that stretch runs free
    const char* first_function{nullptr};
    int first_system_call{0};

    [[nodiscard]] std::uint64_t total() const { return allocations + locks + system_calls; }
};

/// For failure texts.
std::string to_string(const Surprises& surprises);

class FastPathWatch {
  public:
    FastPathWatch();
    ~FastPathWatch();
    FastPathWatch(const FastPathWatch&) = delete;
    FastPathWatch& operator=(const FastPathWatch&) = delete;

    void arm() noexcept;
    void disarm() noexcept;

    [[nodiscard]] Surprises found() const;
};

} // namespace adit::test

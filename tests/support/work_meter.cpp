// SPDX-License-Identifier: Apache-2.0
#include "tests/support/work_meter.h"

#include <atomic>
#include <cstdlib>
#include <malloc.h>
#include <new>

namespace {

std::atomic<std::size_t> allocations{0};
std::atomic<std::size_t> bytes{0};
std::atomic<std::size_t> held{0};

/// What a block takes out of the heap: all of it that can be used, and the word before it.
std::size_t footprint(void* memory) {
    return malloc_usable_size(memory) + sizeof(std::size_t);
}

void release(void* memory) {
    if (memory != nullptr)
        held -= footprint(memory);
    std::free(memory);
}

} // namespace

namespace adit::test {

Work work_so_far() {
    return {allocations.load(), bytes.load(), held.load()};
}

} // namespace adit::test

void* operator new(std::size_t size) {
    ++allocations;
    bytes += size;
    void* memory = std::malloc(size);
    if (memory == nullptr)
        throw std::bad_alloc{};
    held += footprint(memory);
    return memory;
}

void operator delete(void* memory) noexcept {
    release(memory);
}

void operator delete(void* memory, std::size_t) noexcept {
    release(memory);
}

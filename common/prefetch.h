// SPDX-License-Identifier: Apache-2.0
// Asking for a cache line ahead of its use. Not __builtin_prefetch: to g++ 12 that is no effect, so
// it deletes calls of functions that do nothing else.
#pragma once

namespace adit {

[[gnu::always_inline]] inline void prefetch(const void* at) {
    asm volatile("prefetcht0 %0" : : "m"(*static_cast<const char*>(at)));
}

} // namespace adit

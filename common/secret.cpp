// SPDX-License-Identifier: Apache-2.0
#include "common/secret.h"

namespace adit {

void wipe(void* memory, std::size_t length_bytes) {
    if (length_bytes > 0)
        explicit_bzero(memory, length_bytes);
}

bool equal_constant_time(ByteView left, ByteView right) {
    if (left.size() != right.size())
        return false;
    volatile std::uint8_t difference = 0;
    for (std::size_t i = 0; i < left.size(); ++i)
        difference = static_cast<std::uint8_t>(difference | (left[i] ^ right[i]));
    return difference == 0;
}

} // namespace adit

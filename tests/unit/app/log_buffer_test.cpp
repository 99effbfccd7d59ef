// SPDX-License-Identifier: Apache-2.0
#include "control/log_buffer.h"

#include <gtest/gtest.h>

namespace adit {
namespace {

const WallTime kWhen{std::chrono::milliseconds{1'795'424'404'420}}; // 2026-11-23 09:00:04.420 UTC

TEST(RouterTimestamp, LooksLikeARouters) {
    EXPECT_EQ(router_timestamp(kWhen), "*Nov 23 09:00:04.420");
}

TEST(LogBuffer, KeepsTheNewestWithinItsSize) {
    LogBuffer buffer;
    for (int i = 0; i < 10'000; ++i)
        buffer.append("line " + std::to_string(i), kWhen);
    const std::vector<std::string> lines = buffer.lines();
    EXPECT_EQ(lines.back(), "*Nov 23 09:00:04.420: line 9999");
    std::size_t bytes = 0;
    for (const std::string& line : lines)
        bytes += line.size() + 1;
    EXPECT_LE(bytes, LogBuffer::kMaxBytes);
    EXPECT_GT(bytes, LogBuffer::kMaxBytes - 64);
    EXPECT_EQ(buffer.total(), 10'000U);
}

TEST(LogBuffer, OneLineLargerThanTheBufferIsKept) {
    LogBuffer buffer;
    buffer.append(std::string(2 * LogBuffer::kMaxBytes, 'x'), kWhen);
    EXPECT_EQ(buffer.lines().size(), 1U);
}

} // namespace
} // namespace adit

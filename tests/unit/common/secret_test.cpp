// SPDX-License-Identifier: Apache-2.0
#include "common/secret.h"

#include <gtest/gtest.h>

namespace adit {
namespace {

TEST(SecretBuffer, MoveLeavesNothingBehind) {
    SecretBuffer first{as_bytes("hunter2")};
    const SecretBuffer second = std::move(first);
    EXPECT_EQ(to_text(second.view()), "hunter2");
    EXPECT_TRUE(first.empty()); // NOLINT(bugprone-use-after-move): that is the question
}

TEST(EqualConstantTime, NeedsSameLengthAndContent) {
    EXPECT_TRUE(equal_constant_time(as_bytes("abc"), as_bytes("abc")));
    EXPECT_FALSE(equal_constant_time(as_bytes("abc"), as_bytes("abd")));
    EXPECT_FALSE(equal_constant_time(as_bytes("abc"), as_bytes("ab")));
    EXPECT_TRUE(equal_constant_time({}, {}));
}

TEST(Wipe, ClearsMemory) {
    std::uint8_t memory[] = {1, 2, 3};
    wipe(memory, sizeof memory);
    EXPECT_EQ(memory[0] | memory[1] | memory[2], 0);
}

} // namespace
} // namespace adit

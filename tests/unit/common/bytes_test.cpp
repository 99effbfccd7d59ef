// SPDX-License-Identifier: Apache-2.0
#include "common/bytes.h"

#include <gtest/gtest.h>

namespace adit {
namespace {

TEST(Reader, ReadsBigEndianAndStopsAtTheEnd) {
    const Bytes bytes = *from_hex("0102030405060708090a0b0c0d0e0f");
    Reader reader(bytes);
    EXPECT_EQ(*reader.u8(), 0x01);
    EXPECT_EQ(*reader.u16(), 0x0203);
    EXPECT_EQ(*reader.u32(), 0x04050607U);
    EXPECT_EQ(*reader.u64(), 0x08090a0b0c0d0e0fU);
    EXPECT_TRUE(reader.empty());
    EXPECT_EQ(reader.u8().error().code, ErrorCode::Truncated);
}

TEST(Reader, FailedReadConsumesNothing) {
    const Bytes bytes = *from_hex("0102");
    Reader reader(bytes);
    EXPECT_FALSE(reader.u32());
    EXPECT_FALSE(reader.take(3));
    EXPECT_EQ(*reader.u16(), 0x0102);
}

TEST(Writer, PatchesLengthsWrittenEarlier) {
    Writer writer;
    writer.u8(7);
    writer.u16(0);
    writer.append(as_bytes("abc"));
    writer.patch_u16(1, 0x1234);
    EXPECT_EQ(to_hex(writer.view()), "071234616263");
}

TEST(Hex, RefusesOddAndForeignDigits) {
    EXPECT_FALSE(from_hex("abc"));
    EXPECT_FALSE(from_hex("zz"));
    EXPECT_EQ(to_hex(*from_hex("DEADbeef")), "deadbeef");
}

} // namespace
} // namespace adit

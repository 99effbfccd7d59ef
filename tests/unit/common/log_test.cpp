// SPDX-License-Identifier: Apache-2.0
#include "common/log.h"

#include <gtest/gtest.h>

namespace adit {
namespace {

struct LogTest : ::testing::Test {
    Logger logger;
    std::vector<std::string> lines;
    Instant start{std::chrono::hours{1}};

    LogTest() {
        logger.add_sink(
            [this](const LogRecord&, const std::string& line) { lines.push_back(line); });
    }

    LogRecord from_peer(std::string peer) const {
        return {Severity::Warning, "CRYPTO", "IKMP_BAD_MESSAGE", "from " + peer, peer};
    }
};

TEST_F(LogTest, LineHasFacilitySeverityMnemonic) {
    logger.write({Severity::Warning, "CRYPTO", "IKMP_BAD_MESSAGE", "text", ""}, start);
    EXPECT_EQ(lines.at(0), "%CRYPTO-4-IKMP_BAD_MESSAGE: text");
}

TEST_F(LogTest, ControlCharactersFromAPeerCannotForgeALine) {
    logger.write({Severity::Notice, "A", "B", "x\n%SYS-5-FAKE: y\x1b[2J", ""}, start);
    EXPECT_EQ(lines.at(0), "%A-5-B: x.%SYS-5-FAKE: y.[2J");
}

TEST_F(LogTest, OnePeerCannotFloodAndWhatWasHeldBackIsSaid) {
    for (int i = 0; i < 1000; ++i)
        logger.write(from_peer("192.0.2.1"), start);
    EXPECT_EQ(lines.size(), Logger::kBurst);
    logger.write(from_peer("192.0.2.2"), start);
    EXPECT_EQ(lines.size(), Logger::kBurst + 1) << "another peer has its own budget";
    logger.write(from_peer("192.0.2.1"), start + Logger::kPeriod);
    EXPECT_EQ(lines.at(Logger::kBurst + 1),
              "%CRYPTO-4-IKMP_BAD_MESSAGE: 990 more like this held back in the last minute");
    EXPECT_EQ(logger.suppressed(), 990U);
}

TEST_F(LogTest, SpoofedPeersShareABudgetOnceTheTableIsFull) {
    for (unsigned i = 0; i < 10 * Logger::kMaxSubjects; ++i)
        logger.write(from_peer("peer " + std::to_string(i)), start);
    EXPECT_LE(lines.size(), Logger::kMaxSubjects + Logger::kBurst);
}

} // namespace
} // namespace adit

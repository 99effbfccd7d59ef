// SPDX-License-Identifier: Apache-2.0
#include "dataplane/replay_window.h"

#include "tests/support/seeded_rng.h"
#include "tests/support/vectors.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace adit::dataplane {
namespace {

class Window {
  public:
    Window(std::uint32_t packets, SequenceForm form) : words_(ReplayWindow::words_needed(packets)) {
        window.reset(packets, form, words_.data());
    }

    /// Check, and commit when the inferred number is the one really sent (else its ICV would fail).
    bool receive(std::uint64_t sequence) {
        const auto verdict = window.check(static_cast<std::uint32_t>(sequence));
        return verdict.accept && verdict.sequence == sequence && window.commit(verdict.sequence);
    }

    ReplayWindow window;

  private:
    std::vector<std::uint64_t> words_;
};

TEST(ReplayWindow, FollowsEveryScript) {
    const auto file = test::load_json("own/esp_packets.json");
    unsigned steps = 0;
    for (const auto& script : file.at("replay")) {
        const bool extended = script.at("esn").get<bool>();
        Window window{script.at("window").get<std::uint32_t>(),
                      extended ? SequenceForm::Extended : SequenceForm::Short};
        for (const auto& step : script.at("steps")) {
            const auto sequence = step.at(0).get<std::uint64_t>();
            ASSERT_EQ(window.receive(sequence), step.at(1).get<bool>())
                << "window " << script.at("window") << " esn " << extended << " step " << steps
                << " sequence " << sequence;
            ++steps;
        }
    }
    EXPECT_EQ(steps, 3332U);
}

TEST(ReplayWindow, AgreesWithASetOfNumbersForEverySize) {
    test::SeededRng rng{7};
    for (std::uint32_t size = 32; size <= ReplayWindow::kMaxPackets; size += 32) {
        Window window{size, SequenceForm::Extended};
        std::set<std::uint64_t> seen;
        std::uint64_t highest = 0;
        std::uint64_t base = 0xffffff00; // crosses 2^32
        window.window.resume_at(base);
        highest = base;
        for (unsigned i = 0; i < 600; ++i) {
            const std::uint32_t draw = rng.below(8);
            const std::uint64_t sequence = draw == 0  ? highest + 1 + rng.below(3 * size)
                                           : draw < 4 ? highest + 1
                                                      : highest - rng.below(size + 8);
            const bool expected =
                sequence > highest ||
                (sequence > base && highest - sequence < size && !seen.contains(sequence));
            ASSERT_EQ(window.receive(sequence), expected)
                << "size " << size << " highest " << highest << " sequence " << sequence;
            if (expected) {
                seen.insert(sequence);
                highest = std::max(highest, sequence);
            }
        }
        EXPECT_EQ(window.window.highest(), highest);
    }
}

TEST(ReplayWindow, RejectsDuplicateAtLeftEdge) {
    Window window{64, SequenceForm::Short};
    EXPECT_TRUE(window.receive(1));
    EXPECT_TRUE(window.receive(64));
    EXPECT_FALSE(window.receive(1));
    EXPECT_TRUE(window.receive(65));
    EXPECT_FALSE(window.receive(1)); // now beyond the edge
    EXPECT_TRUE(window.receive(2));
}

TEST(ReplayWindow, CheckChangesNothing) {
    Window window{32, SequenceForm::Short};
    EXPECT_TRUE(window.window.check(100'000).accept);
    EXPECT_EQ(window.window.highest(), 0U);
    EXPECT_TRUE(window.receive(1));
}

TEST(ReplayWindow, SecondCommitOfOneNumberFails) {
    Window window{32, SequenceForm::Short};
    EXPECT_TRUE(window.window.check(5).accept);
    EXPECT_TRUE(window.window.check(5).accept);
    EXPECT_TRUE(window.window.commit(5));
    EXPECT_FALSE(window.window.commit(5));
}

TEST(ReplayWindow, NeverAcceptsZero) {
    Window narrow{32, SequenceForm::Short};
    EXPECT_FALSE(narrow.receive(0));
    Window extended{32, SequenceForm::Extended};
    EXPECT_FALSE(extended.receive(0));
}

TEST(ReplayWindow, ShortNumbersNeverWrap) {
    Window window{64, SequenceForm::Short};
    EXPECT_TRUE(window.receive(0xffffffff));
    EXPECT_FALSE(window.receive(1));
}

TEST(ReplayWindow, ExtendedNumbersEndAtTheirTop) {
    Window window{64, SequenceForm::Extended};
    window.window.resume_at(~std::uint64_t{0} - 1);
    EXPECT_TRUE(window.receive(~std::uint64_t{0}));
    EXPECT_FALSE(window.window.check(5).accept) << "the upper half must not wrap to 0";
}

TEST(ReplayWindow, SizeZeroAcceptsEverything) {
    Window window{0, SequenceForm::Short};
    EXPECT_TRUE(window.receive(9));
    EXPECT_TRUE(window.receive(9));
    EXPECT_TRUE(window.receive(1));
    EXPECT_EQ(window.window.highest(), 9U);
}

TEST(ReplayWindow, KnowsValidSizes) {
    for (std::uint32_t size = 0; size <= 5000; ++size)
        EXPECT_EQ(ReplayWindow::is_valid_size(size),
                  size == 0 || (size >= 32 && size <= 4096 && size % 32 == 0))
            << size;
}

} // namespace
} // namespace adit::dataplane

// SPDX-License-Identifier: Apache-2.0
// Anti-replay window of one inbound SA (RFC 4303 3.4.3 and appendix A), with and without extended
// sequence numbers. `check` before the packet is deciphered, `commit` after its ICV proved right:
// nothing that failed authentication moves the window.
//
//      highest - packets + 1                    highest
//      |  accepted unless its bit is set        |  always accepted: the window slides
//   ---+----------------------------------------+--------------------------------> sequence
//      older: refused
//
// The bits lie in a ring of 64-bit words, a power of two of them, bit = sequence mod ring size.
// Sliding clears only the bits that come in at the right edge: one word in order, at most the ring
// after a jump.
//
// Threading: one writer, the core that owns the SA.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

namespace adit::dataplane {

enum class SequenceForm : std::uint8_t {
    Short,    // 32 bits; never wraps
    Extended, // 64 bits, of which the lower 32 travel (RFC 4303 2.2.1)
};

class ReplayWindow {
  public:
    static constexpr std::uint32_t kMinPackets = 32; // RFC 4303 3.4.3: MUST be supported
    static constexpr std::uint32_t kMaxPackets = 4096;

    struct Verdict {
        bool accept;
        std::uint64_t sequence; // the full number that the ICV must be computed with
    };

    /// 0 switches the check off; otherwise a multiple of 32 in [32, 4096].
    static constexpr bool is_valid_size(std::uint32_t packets) {
        return packets == 0 ||
               (packets >= kMinPackets && packets <= kMaxPackets && packets % 32 == 0);
    }

    static constexpr std::size_t words_needed(std::uint32_t packets) {
        return packets <= 64 ? 1 : std::bit_ceil(packets) / 64;
    }

    /// Starts empty. `words` has room for words_needed(packets), is cleared here, and stays where
    /// it is.
    void reset(std::uint32_t packets, SequenceForm form, std::uint64_t* words);

    /// Starts as if everything up to `highest` had been received.
    void resume_at(std::uint64_t highest);

    /// May a packet with these 32 bits be new? Changes nothing.
    [[nodiscard]] Verdict check(std::uint32_t wire_sequence) const {
        const std::uint64_t sequence = infer(wire_sequence);
        return {is_new(sequence), sequence};
    }

    /// Takes an authenticated packet's number. False when another packet of the same burst took it
    /// or moved the window past it: the caller drops this one as a replay.
    [[nodiscard]] bool commit(std::uint64_t sequence) {
        if (!is_new(sequence))
            return false;
        if (sequence == highest_ + 1) [[likely]]
            highest_ = sequence; // the bit that comes in is the one set below
        else if (sequence > highest_)
            slide_to(sequence);
        if (packets_ != 0)
            word(sequence) |= bit(sequence);
        return true;
    }

    [[nodiscard]] std::uint64_t highest() const { return highest_; }

    [[nodiscard]] std::uint32_t packets() const { return packets_; }

  private:
    // RFC 4303 A2.2: the upper half is the one that puts the packet nearest to the window.
    [[nodiscard]] std::uint64_t infer(std::uint32_t wire_sequence) const {
        if (form_ == SequenceForm::Short)
            return wire_sequence;
        const auto top_low = static_cast<std::uint32_t>(highest_);
        const auto top_high = static_cast<std::uint32_t>(highest_ >> 32);
        const std::uint32_t bottom_low = top_low - packets_ + 1U;
        std::uint32_t high = top_high;
        if (top_low >= packets_ - 1U) { // A2.2 case A: the window lies in one subspace
            if (wire_sequence < bottom_low)
                ++high;
        } else if (wire_sequence >= bottom_low && top_high > 0) { // case B: it spans two
            --high;
        }
        return static_cast<std::uint64_t>(high) << 32 | wire_sequence;
    }

    [[nodiscard]] bool is_new(std::uint64_t sequence) const {
        if (packets_ == 0)
            return true;
        if (sequence > highest_)
            return true;
        // RFC 4303 2.2: the first packet is number 1; 0 is never sent.
        if (sequence == 0 || highest_ - sequence >= packets_)
            return false;
        return (word(sequence) & bit(sequence)) == 0;
    }

    [[nodiscard]] std::uint64_t& word(std::uint64_t sequence) const {
        return words_[(sequence / 64) & word_mask_];
    }

    static std::uint64_t bit(std::uint64_t sequence) { return std::uint64_t{1} << (sequence % 64); }

    void slide_to(std::uint64_t sequence);

    std::uint64_t highest_{0};
    std::uint64_t* words_{nullptr};
    std::uint16_t packets_{0};
    std::uint8_t word_mask_{0};
    SequenceForm form_{SequenceForm::Short};
};

static_assert(sizeof(ReplayWindow) == 24, "an InboundSa counts on it");

} // namespace adit::dataplane

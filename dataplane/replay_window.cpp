// SPDX-License-Identifier: Apache-2.0
#include "dataplane/replay_window.h"

#include "common/error.h"

#include <algorithm>

namespace adit::dataplane {

void ReplayWindow::reset(std::uint32_t packets, SequenceForm form, std::uint64_t* words) {
    ENSURE(is_valid_size(packets));
    // Without a window there is nothing to infer the upper half from (RFC 4303 3.4.3).
    ENSURE(packets != 0 || form == SequenceForm::Short);
    highest_ = 0;
    words_ = words;
    packets_ = static_cast<std::uint16_t>(packets);
    word_mask_ = static_cast<std::uint8_t>(words_needed(packets) - 1);
    form_ = form;
    std::fill_n(words_, words_needed(packets), 0);
}

void ReplayWindow::resume_at(std::uint64_t highest) {
    highest_ = highest;
    std::fill_n(words_, words_needed(packets_), ~std::uint64_t{0});
}

void ReplayWindow::slide_to(std::uint64_t sequence) {
    const std::uint64_t first = highest_ + 1;
    const std::uint64_t distance = sequence - highest_;
    highest_ = sequence;
    if (packets_ == 0)
        return;
    const std::uint64_t ring_words = word_mask_ + 1U;
    if (distance >= ring_words * 64) {
        std::fill_n(words_, ring_words, 0);
        return;
    }
    const std::uint64_t first_word = first / 64;
    const std::uint64_t last_word = sequence / 64;
    const std::uint64_t from_first = ~std::uint64_t{0} << (first % 64);
    const std::uint64_t up_to_last = ~std::uint64_t{0} >> (63 - sequence % 64);
    if (first_word == last_word) {
        word(first) &= ~(from_first & up_to_last);
        return;
    }
    // The last word may be the first one again, once round the ring: the two masks are apart then.
    word(first) &= ~from_first;
    for (std::uint64_t middle = first_word + 1; middle < last_word; ++middle)
        words_[middle & word_mask_] = 0;
    word(sequence) &= ~up_to_last;
}

} // namespace adit::dataplane

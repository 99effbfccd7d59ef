// SPDX-License-Identifier: Apache-2.0
// Finds the first of very many selectors that a flow matches, by tuple space search (Srinivasan,
// Suri, Varghese 1999) with merged tuples (Daly et al., TupleMerge, 2017).
//
// A *tuple* is a pair of prefix lengths. Its selectors lie in a hash table under the two prefixes
// that hold their addresses, so one look-up asks each tuple once, however many selectors there are:
//
//     flow --mask, multiply--> bucket of four cells, one cache line
//                                 |- plain:   the addresses say everything; the cell is the answer
//                                 '- a *run*: selectors under the same prefixes, compared in order
//
// Selectors whose tuple is too rare to be worth a probe lie in a list that is compared in order.
//
// Cost: tuples are few because administrators use few masks, and they are merged where that makes
// no long runs. Packets cannot make a probe longer than the configuration made it: how far a key
// may lie from its bucket is bounded when the table is built. Many selectors under the same two
// prefixes (many ports of one pair of hosts) are compared one after another.
//
// Memory: 32 octets a selector, 40 more if it is not plain.
//
// Threading: built once, then read-only.
#pragma once

#include "common/prefetch.h"
#include "dataplane/flow.h"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <smmintrin.h>
#include <span>
#include <vector>

namespace adit::dataplane {

/// One selector, ready to be compared: ranges as first value and width, one subtraction and one
/// comparison each.
struct SelectorLine {
    std::uint32_t local_first, local_width;
    std::uint32_t remote_first, remote_width;
    std::uint16_t local_port_first, local_port_width;
    std::uint16_t remote_port_first, remote_port_width;
    std::uint8_t protocol; // 0: any
    bool is_address_only;  // neither protocol nor ports
    bool takes_fragments;  // which show no ports
    bool ends_run;         // nothing to compare behind it
    std::uint32_t number;  // place in the order in which lines are tried, < kNoLine
    std::uint32_t value;   // the owner's, as is the next
    std::uint32_t exceptions;

    [[nodiscard]] bool matches(const Flow& flow) const {
        if (flow.source - local_first > local_width ||
            flow.destination - remote_first > remote_width)
            return false;
        if (is_address_only)
            return true;
        // One branch for all three: which of them differs is as good as random.
        const bool protocols = (protocol == 0) | (protocol == flow.protocol);
        const bool ports =
            (static_cast<std::uint16_t>(flow.source_port - local_port_first) <= local_port_width) &
            (static_cast<std::uint16_t>(flow.destination_port - remote_port_first) <=
             remote_port_width);
        return protocols & (flow.ports_known ? ports : takes_fragments);
    }
};

inline constexpr std::uint32_t kNoLine = (1U << 30) - 1;
inline constexpr std::uint32_t kNoExceptions = 0xffffffff;

class TupleSpace {
  public:
    struct Found {
        std::uint32_t number{kNoLine};
        std::uint32_t value{};
    };

    TupleSpace() = default;

    /// `lines` in rising order of their numbers.
    explicit TupleSpace(std::span<const SelectorLine> lines);

    /// The matching line of the lowest number for which `excepted(line)` is false; it is asked
    /// about lines with exceptions only.
    template <class Excepted>
    [[nodiscard, gnu::always_inline]] Found first(Flow flow, Excepted excepted) const {
        Found best;
        for (const Tuple& tuple : tuples_) {
            if (tuple.first_number > best.number)
                break;
            if (const Cell* cell = find(tuple, flow); cell != nullptr && cell->number < best.number)
                best = cell->is_plain ? Found{cell->number, cell->value}
                                      : first_of(&runs_[cell->value], flow, best, excepted);
        }
        return rare_.empty() ? best : first_of(rare_.data(), flow, best, excepted);
    }

    /// Fetches what first() will read first.
    void prefetch(const Flow& flow) const {
        const std::size_t count =
            tuples_.size() < kPrefetchTuples ? tuples_.size() : kPrefetchTuples;
        for (std::size_t i = 0; i < count; ++i)
            adit::prefetch(home(tuples_[i], tuples_[i].key(flow)));
    }

    [[nodiscard]] bool empty() const { return rare_.empty() && tuples_.empty(); }

    /// Of the tables, octets.
    [[nodiscard]] std::size_t memory() const;

    /// The most cache lines that one probe reads.
    [[nodiscard]] unsigned longest_probe() const { return longest_probe_; }

    /// Probes of a look-up, at most.
    [[nodiscard]] std::size_t tuple_count() const { return tuples_.size(); }

  private:
    friend class TupleSpaceBuilder;

    static constexpr unsigned kCellsPerBucket = 4;
    /// More would push the caller's own lines out of the queue of outstanding loads (10 to 16).
    static constexpr std::size_t kPrefetchTuples = 4;

    struct Cell {
        std::uint32_t number : 30 {kNoLine}; // lowest under this key; kNoLine: the cell is free
        std::uint32_t is_plain : 1 {0};
        std::uint32_t overflows : 1 {0}; // last cell: keys of this bucket may lie in the next
        std::uint32_t value{};           // plain: the line's; otherwise place of the run in runs_
    };

    struct alignas(64) Bucket {
        std::uint64_t keys[kCellsPerBucket]{};
        Cell cells[kCellsPerBucket]{};
    };

    static_assert(sizeof(Bucket) == 64, "one cache line");

    struct Tuple {
        std::uint64_t mask; // local in the upper half, remote in the lower
        std::uint64_t multiplier;
        std::uint64_t bucket_count;
        std::uint32_t first_bucket;
        std::uint32_t first_number; // lowest of its lines

        [[nodiscard]] std::uint64_t key(const Flow& flow) const {
            return (std::uint64_t{flow.source} << 32 | flow.destination) & mask;
        }
    };

    /// Multiplicative hashing: the upper half of the product depends on every bit of the key, and a
    /// second product scales it to the number of buckets without a division.
    [[nodiscard]] static std::uint64_t hash(const Tuple& tuple, std::uint64_t key) {
        return (key * tuple.multiplier >> 32) * tuple.bucket_count >> 32;
    }

    [[nodiscard]] const Bucket* home(const Tuple& tuple, std::uint64_t key) const {
        return &buckets_[tuple.first_bucket + hash(tuple, key)];
    }

    /// One bit a cell: its key is `wanted`, given twice. SSE 4.1 is less than DPDK asks for.
    [[nodiscard]] static unsigned cells_with(const Bucket& bucket, __m128i wanted) {
        const auto pair_at = [&](const std::uint64_t& key) {
            return _mm_load_si128(static_cast<const __m128i*>(static_cast<const void*>(&key)));
        };
        const __m128i lower = _mm_cmpeq_epi64(pair_at(bucket.keys[0]), wanted);
        const __m128i upper = _mm_cmpeq_epi64(pair_at(bucket.keys[2]), wanted);
        return static_cast<unsigned>(
            _mm_movemask_ps(_mm_castsi128_ps(_mm_packs_epi32(lower, upper))));
    }

    [[nodiscard]] const Cell* find(const Tuple& tuple, const Flow& flow) const {
        const std::uint64_t key = tuple.key(flow);
        const __m128i wanted = _mm_set1_epi64x(static_cast<long long>(key));
        for (const Bucket* bucket = home(tuple, key);; ++bucket) {
            const unsigned same = cells_with(*bucket, wanted);
            // A free cell's key is 0 and its number loses; used cells stand before free ones.
            if (same != 0)
                return &bucket->cells[std::countr_zero(same)];
            if (bucket->cells[kCellsPerBucket - 1].overflows == 0)
                return nullptr;
        }
    }

    /// `best`, or an earlier line of the run at `line`.
    /// Out of line, and the flow by value: then it stays in registers for whoever asks first().
    template <class Excepted>
    [[nodiscard, gnu::noinline]] static Found
    first_of(const SelectorLine* line, Flow flow, Found best, Excepted excepted) {
        for (;; ++line) {
            if (line->number > best.number)
                return best;
            if (line->matches(flow) && (line->exceptions == kNoExceptions || !excepted(*line)))
                return {line->number, line->value};
            if (line->ends_run)
                return best;
        }
    }

    std::vector<Tuple> tuples_;      // by first_number
    std::vector<Bucket> buckets_;    // of all tuples
    std::vector<SelectorLine> runs_; // one behind the other
    std::vector<SelectorLine> rare_; // by number
    unsigned longest_probe_{0};
};

} // namespace adit::dataplane

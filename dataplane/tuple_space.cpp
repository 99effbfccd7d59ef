// SPDX-License-Identifier: Apache-2.0
#include "dataplane/tuple_space.h"

#include "common/address.h"

#include <algorithm>
#include <map>
#include <utility>

namespace adit::dataplane {

namespace {

/// A probe costs about as much as comparing eight lines that lie side by side.
constexpr std::size_t kMinTupleLines = 8;
/// Merged tuples may make runs of this length: two probes' worth, and merging saves more than that
/// where it succeeds for lack of collisions.
constexpr std::size_t kMaxMergedRun = 8;
/// Each try sorts the lines of two tuples; this many keep the building of 100,000 lines well under
/// a second. Administrators use some ten pairs of masks, 45 pairs of pairs.
constexpr unsigned kMaxMergeTries = 48;
/// Half of the cells are used: 5 % of the buckets overflow, nearly all of them into the next.
constexpr std::size_t kKeysPerBucket = 2;
/// What a packet may be made to cost: adjacent cache lines read for one probe.
constexpr unsigned kMaxProbe = 4;
/// Multipliers to try, with a growing table, before a longer probe is accepted. At half load one in
/// thousands needs a second try.
constexpr unsigned kMaxFillTries = 16;

/// Any odd number does; each try needs one that has nothing to do with the last (SplitMix64).
std::uint64_t multiplier_of(unsigned attempt) {
    std::uint64_t z = (attempt + 1) * 0x9e3779b97f4a7c15U;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
    z = (z ^ z >> 27) * 0x94d049bb133111ebU;
    return (z ^ z >> 31) | 1;
}

/// Of the longest prefix that holds the whole range.
std::uint64_t covering_mask(std::uint32_t first, std::uint32_t width) {
    return mask_of_length(static_cast<unsigned>(std::countl_zero(first ^ (first + width))));
}

std::uint64_t covering_mask(const SelectorLine& line) {
    return covering_mask(line.local_first, line.local_width) << 32 |
           covering_mask(line.remote_first, line.remote_width);
}

std::uint64_t addresses(const SelectorLine& line) {
    return std::uint64_t{line.local_first} << 32 | line.remote_first;
}

/// Whether a flow that has the line's key under this mask matches the line.
bool is_plain(const SelectorLine& line, std::uint64_t mask) {
    const std::uint64_t widths = std::uint64_t{line.local_width} << 32 | line.remote_width;
    return line.is_address_only && line.exceptions == kNoExceptions && widths == ~mask &&
           (addresses(line) & ~mask) == 0;
}

/// Lines to be looked up under the same mask, in rising order of their numbers.
struct Group {
    std::uint64_t mask;
    std::vector<const SelectorLine*> lines;

    [[nodiscard]] bool is_rare() const { return lines.size() < kMinTupleLines; }
};

bool by_number(const SelectorLine* a, const SelectorLine* b) {
    return a->number < b->number;
}

/// Whether the lines of both, looked up under `mask`, leave only short runs.
bool can_share(std::uint64_t mask, const Group& a, const Group& b) {
    std::vector<std::uint64_t> keys;
    keys.reserve(a.lines.size() + b.lines.size());
    for (const Group* group : {&a, &b})
        for (const SelectorLine* line : group->lines)
            keys.push_back(addresses(*line) & mask);
    std::ranges::sort(keys);
    for (std::size_t i = kMaxMergedRun; i < keys.size(); ++i)
        if (keys[i] == keys[i - kMaxMergedRun])
            return false;
    return true;
}

void merge_into(Group& to, const Group& from) {
    const auto middle = static_cast<std::ptrdiff_t>(to.lines.size());
    to.mask &= from.mask;
    to.lines.insert(to.lines.end(), from.lines.begin(), from.lines.end());
    std::inplace_merge(to.lines.begin(), to.lines.begin() + middle, to.lines.end(), by_number);
}

/// One group for each pair of prefix lengths, the largest first.
std::vector<Group> grouped(std::span<const SelectorLine> lines) {
    std::map<std::uint64_t, std::vector<const SelectorLine*>> by_mask;
    for (const SelectorLine& line : lines)
        by_mask[covering_mask(line)].push_back(&line);
    std::vector<Group> groups;
    for (auto& [mask, members] : by_mask)
        groups.push_back({mask, std::move(members)});
    std::ranges::stable_sort(
        groups, [](const Group& a, const Group& b) { return a.lines.size() > b.lines.size(); });
    return groups;
}

/// Fewer groups under coarser masks. A rare one joins another but does not coarsen it.
std::vector<Group> merged(std::vector<Group> groups) {
    std::vector<Group> kept;
    unsigned tries = 0;
    for (Group& group : groups) {
        const auto host = std::ranges::find_if(kept, [&](const Group& other) {
            const std::uint64_t mask = group.mask & other.mask;
            return (!group.is_rare() || mask == other.mask) && ++tries <= kMaxMergeTries &&
                   can_share(mask, group, other);
        });
        if (host == kept.end())
            kept.push_back(std::move(group));
        else
            merge_into(*host, group);
    }
    return kept;
}

} // namespace

/// Fills a TupleSpace.
class TupleSpaceBuilder {
  public:
    explicit TupleSpaceBuilder(TupleSpace& to) : to_(to) {}

    void build(std::span<const SelectorLine> lines) {
        for (const Group& group : merged(grouped(lines)))
            if (group.is_rare())
                for (const SelectorLine* line : group.lines)
                    to_.rare_.push_back(*line);
            else
                add_tuple(group);
        std::ranges::sort(to_.tuples_, {}, &Tuple::first_number);
        std::ranges::sort(to_.rare_, {}, &SelectorLine::number);
        if (!to_.rare_.empty())
            to_.rare_.back().ends_run = true;
    }

  private:
    using Bucket = TupleSpace::Bucket;
    using Cell = TupleSpace::Cell;
    using Tuple = TupleSpace::Tuple;

    using KeyedLine = std::pair<std::uint64_t, const SelectorLine*>;

    struct KeyedCell {
        std::uint64_t key;
        Cell cell;
    };

    void add_tuple(const Group& group) {
        const std::vector<KeyedCell> cells = cells_of(group);
        Tuple tuple{.mask = group.mask,
                    .multiplier = 0,
                    .bucket_count = 0,
                    .first_bucket = static_cast<std::uint32_t>(to_.buckets_.size()),
                    .first_number = group.lines.front()->number};
        unsigned probe = 0;
        for (unsigned attempt = 0; attempt < kMaxFillTries; ++attempt) {
            tuple.multiplier = multiplier_of(attempt);
            tuple.bucket_count = (cells.size() / kKeysPerBucket + 1) * (4 + attempt) / 4;
            probe = fill(tuple, cells);
            if (probe <= kMaxProbe)
                break;
        }
        to_.tuples_.push_back(tuple);
        to_.longest_probe_ = std::max(to_.longest_probe_, probe);
    }

    /// One cell for each key; what is not plain is copied to the runs.
    std::vector<KeyedCell> cells_of(const Group& group) {
        std::vector<KeyedLine> keyed;
        keyed.reserve(group.lines.size());
        for (const SelectorLine* line : group.lines)
            keyed.emplace_back(addresses(*line) & group.mask, line);
        // Stable: lines of one key stay in order.
        std::ranges::stable_sort(keyed, {}, &KeyedLine::first);
        std::vector<KeyedCell> cells;
        for (std::size_t first = 0, end = 0; first < keyed.size(); first = end) {
            const std::uint64_t key = keyed[first].first;
            while (end < keyed.size() && keyed[end].first == key)
                ++end;
            cells.push_back(
                {key, cell_of(group.mask, std::span{keyed}.subspan(first, end - first))});
        }
        return cells;
    }

    /// Lines behind a plain one are never reached under its key.
    Cell cell_of(std::uint64_t mask, std::span<const KeyedLine> same_key) {
        const SelectorLine& lowest = *same_key.front().second;
        if (is_plain(lowest, mask))
            return {.number = lowest.number & kNoLine, .is_plain = 1, .value = lowest.value};
        const auto run = static_cast<std::uint32_t>(to_.runs_.size());
        for (const auto& [key, line] : same_key) {
            to_.runs_.push_back(*line);
            if (is_plain(*line, mask))
                break;
        }
        to_.runs_.back().ends_run = true;
        return {.number = lowest.number & kNoLine, .value = run};
    }

    /// Lays the cells behind the buckets of the other tuples; returns the longest probe.
    unsigned fill(const Tuple& tuple, const std::vector<KeyedCell>& cells) {
        std::vector<Bucket>& buckets = to_.buckets_;
        buckets.resize(tuple.first_bucket);
        buckets.resize(tuple.first_bucket + tuple.bucket_count);
        std::size_t longest = 0;
        for (const auto& [key, cell] : cells) {
            const std::size_t home = tuple.first_bucket + TupleSpace::hash(tuple, key);
            std::size_t place = home;
            while (is_full(buckets[place])) {
                buckets[place].cells[TupleSpace::kCellsPerBucket - 1].overflows = 1;
                if (++place == buckets.size())
                    buckets.emplace_back();
            }
            put(buckets[place], key, cell);
            longest = std::max(longest, place - home + 1);
        }
        return static_cast<unsigned>(longest);
    }

    static bool is_full(const Bucket& bucket) {
        return bucket.cells[TupleSpace::kCellsPerBucket - 1].number != kNoLine;
    }

    /// In the first free cell.
    static void put(Bucket& bucket, std::uint64_t key, const Cell& cell) {
        unsigned i = 0;
        while (bucket.cells[i].number != kNoLine)
            ++i;
        bucket.keys[i] = key;
        bucket.cells[i] = cell;
    }

    TupleSpace& to_;
};

TupleSpace::TupleSpace(std::span<const SelectorLine> lines) {
    TupleSpaceBuilder{*this}.build(lines);
}

std::size_t TupleSpace::memory() const {
    return tuples_.size() * sizeof(Tuple) + buckets_.size() * sizeof(Bucket) +
           (runs_.size() + rare_.size()) * sizeof(SelectorLine);
}

} // namespace adit::dataplane

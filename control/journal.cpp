// SPDX-License-Identifier: Apache-2.0
#include "control/journal.h"

#include "common/secret.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <set>

namespace adit {

namespace {

constexpr std::uint64_t kMagic = 0x4144'4954'4a52'4e31; // "ADITJRN1"
/// Bump when what any owner writes into its records changes.
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kUnitBytes = 64;

/// The same in all versions.
struct Header {
    std::uint64_t magic;
    std::uint32_t version;
    std::uint32_t readers;   // that have not settled
    std::uint64_t committed; // number of the last transaction
    std::uint64_t end;       // of the last extent
};

enum class RecordState : std::uint32_t {
    Free = 0,
    Kept = 1,
    Gone = 2, // says that a record of this key is no more
};

struct Record {
    std::uint32_t units;
    RecordState state;
    std::uint64_t transaction; // counts once this one is committed
    std::uint64_t serial;      // of several records of a key the highest counts
    JournalKey key;
    std::uint32_t length;
    std::uint32_t check; // over the octets
};

static_assert(sizeof(Header) <= kUnitBytes && sizeof(Record) == 48);

template <class T> T& at(MutableBytes region, std::uint64_t offset) {
    return *static_cast<T*>(static_cast<void*>(region.data() + offset));
}

Header& header_of(MutableBytes region) {
    return at<Header>(region, 0);
}

MutableBytes octets_of(MutableBytes region, std::uint64_t offset) {
    return region.subspan(offset + sizeof(Record), at<Record>(region, offset).length);
}

/// Nothing written before is written after, whatever the compiler would like.
template <class T> void publish(T& place, T value) {
    std::atomic_ref<T>(place).store(value, std::memory_order_release);
}

/// FNV-1a. Against accidents, not enemies: whoever can write here holds the keys already.
std::uint32_t check_of(ByteView octets) {
    std::uint32_t sum = 2'166'136'261U;
    for (const std::uint8_t octet : octets)
        sum = (sum ^ octet) * 16'777'619U;
    return sum;
}

/// Few sizes, so that what one record gave up fits the next: 1, 2, 3, 4, 6, 8, 12, 16 ...
std::uint32_t units_for(std::size_t bytes) {
    const auto wanted = static_cast<std::uint32_t>((bytes + kUnitBytes - 1) / kUnitBytes);
    std::uint32_t size = 1;
    while (size < wanted) {
        if (size >= 2 && size + size / 2 >= wanted)
            return size + size / 2;
        size *= 2;
    }
    return size;
}

} // namespace

Journal Journal::start_over(MutableBytes region) {
    ENSURE(region.size() >= 2 * kUnitBytes);
    Header& header = header_of(region);
    const std::uint64_t end =
        header.magic == kMagic ? std::min<std::uint64_t>(header.end, region.size()) : 0;
    wipe(region.data(), std::max<std::size_t>(end, sizeof(Header)));
    header.version = kVersion;
    header.end = kUnitBytes;
    publish(header.magic, kMagic);
    return Journal{region};
}

Result<Journal> Journal::open(MutableBytes region) {
    ENSURE(region.size() >= 2 * kUnitBytes);
    const Header& header = header_of(region);
    if (header.magic == 0)
        return start_over(region);
    if (header.magic != kMagic)
        return fail(ErrorCode::Malformed, "the journal begins with something else");
    if (header.version != kVersion)
        return fail(ErrorCode::Unsupported,
                    "the journal is of version " + std::to_string(header.version) + ", not " +
                        std::to_string(kVersion));
    Journal journal{region};
    TRY_VOID(journal.read());
    return journal;
}

/// Finds what is committed, and frees the rest: what a commit that never came left, and what one
/// that did come had no time to give up.
Status Journal::read() {
    const Header& header = header_of(region_);
    if (header.end > region_.size())
        return fail(ErrorCode::Malformed, "the journal ends behind its region");
    std::vector<Offset> unused;
    for (Offset offset = kUnitBytes; offset < header.end;) {
        const Record& record = at<Record>(region_, offset);
        const std::uint64_t bytes = std::uint64_t{record.units} * kUnitBytes;
        if (bytes == 0 || bytes > header.end - offset || record.length > bytes - sizeof(Record))
            return fail(ErrorCode::Malformed,
                        "a record of the journal at " + std::to_string(offset) + " is damaged");
        const bool counts = record.state != RecordState::Free &&
                            record.transaction <= header.committed &&
                            record.check == check_of(octets_of(region_, offset));
        if (!counts) {
            unused.push_back(offset);
        } else if (auto [place, fresh] = places_.emplace(record.key, offset); !fresh) {
            const bool newer = record.serial > at<Record>(region_, place->second).serial;
            unused.push_back(newer ? place->second : offset);
            place->second = newer ? offset : place->second;
        }
        next_serial_ = std::max(next_serial_, record.serial + 1);
        offset += bytes;
    }
    std::erase_if(places_, [&](const auto& place) {
        const bool gone = at<Record>(region_, place.second).state == RecordState::Gone;
        if (gone)
            unused.push_back(place.second);
        return gone;
    });
    for (const Offset offset : unused)
        give_up(offset);
    return {};
}

std::vector<JournalEntry> Journal::entries() const {
    std::vector<JournalEntry> entries;
    entries.reserve(places_.size());
    for (const auto& [key, offset] : places_)
        entries.push_back({key, SecretBuffer{ByteView{octets_of(region_, offset)}}});
    return entries;
}

/// 0 when nothing is left.
Journal::Offset Journal::take_extent(std::size_t bytes) {
    const std::uint32_t units = units_for(bytes);
    if (auto found = free_.find(units); found != free_.end() && !found->second.empty()) {
        const Offset offset = found->second.back();
        found->second.pop_back();
        return offset;
    }
    Header& header = header_of(region_);
    const Offset offset = header.end;
    if (std::uint64_t{units} * kUnitBytes > region_.size() - offset)
        return 0;
    at<Record>(region_, offset) = Record{.units = units};
    publish(header.end, offset + std::uint64_t{units} * kUnitBytes);
    return offset;
}

void Journal::give_up(Offset offset) {
    Record& record = at<Record>(region_, offset);
    publish(record.state, RecordState::Free);
    wipe(region_.data() + offset + sizeof(Record), record.units * kUnitBytes - sizeof(Record));
    free_[record.units].push_back(offset);
}

void Journal::write(const JournalKey& key, ByteView octets) {
    const auto known = places_.find(key);
    if (octets.empty() && known == places_.end())
        return;
    const Offset offset = take_extent(sizeof(Record) + octets.size());
    if (offset == 0) {
        ++not_kept_;
        // A record that is no longer true is worse than none.
        if (!octets.empty())
            write(key, {});
        return;
    }
    Record& record = at<Record>(region_, offset);
    record.key = key;
    record.length = static_cast<std::uint32_t>(octets.size());
    record.check = check_of(octets);
    record.transaction = header_of(region_).committed + 1;
    record.serial = next_serial_++;
    std::ranges::copy(octets, octets_of(region_, offset).begin());
    publish(record.state, octets.empty() ? RecordState::Gone : RecordState::Kept);
    if (known != places_.end())
        outdated_.push_back(std::exchange(known->second, offset));
    else
        places_.emplace(key, offset);
    if (octets.empty()) {
        outdated_.push_back(offset);
        places_.erase(key);
    }
}

void Journal::commit() {
    Header& header = header_of(region_);
    publish(header.committed, header.committed + 1);
    // Newest last: while the word that a record is gone stands, no older one counts.
    for (const Offset offset : std::exchange(outdated_, {}))
        give_up(offset);
}

void Journal::keep_only(const std::vector<JournalEntry>& entries) {
    std::set<JournalKey> kept;
    for (const JournalEntry& entry : entries) {
        write(entry);
        kept.insert(entry.key);
    }
    std::vector<JournalKey> others;
    for (const auto& [key, offset] : places_)
        if (!kept.contains(key))
            others.push_back(key);
    for (const JournalKey& key : others)
        write(key, {});
    commit();
}

std::uint32_t Journal::begin_reading() {
    Header& header = header_of(region_);
    publish(header.readers, header.readers + 1);
    return header.readers;
}

void Journal::settled() {
    publish(header_of(region_).readers, std::uint32_t{0});
}

std::size_t Journal::extent_bytes() const {
    return header_of(region_).end;
}

} // namespace adit

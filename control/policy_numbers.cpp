// SPDX-License-Identifier: Apache-2.0
#include "control/policy_numbers.h"

#include "control/ike/codec.h"
#include "control/journal_kinds.h"

#include <algorithm>
#include <utility>

namespace adit {

/// Of a policy made at run time the key is empty.
static ike::JournalEntry entry_of(PolicyId number, const std::optional<std::string>& key) {
    ike::Saver saver;
    if (key)
        saver(*key);
    return {journal_key(JournalKind::PolicyNumber, number.value), saver.take()};
}

PolicyId PolicyNumbers::number(const std::string& key) {
    if (const auto known = numbers_.find(key); known != numbers_.end())
        return known->second;
    PolicyId number{fresh_};
    if (free_.empty()) {
        ++fresh_;
    } else {
        number = free_.front();
        free_.pop_front();
    }
    numbers_.emplace(key, number);
    changed_[number] = key;
    return number;
}

void PolicyNumbers::forget_others(const std::map<PolicyId, std::string>& kept) {
    std::erase_if(numbers_, [&](const auto& entry) {
        if (kept.contains(entry.second))
            return false;
        free_.push_back(entry.second);
        changed_[entry.second] = std::nullopt;
        return true;
    });
}

std::optional<PolicyId> PolicyNumbers::take(const std::function<bool(PolicyId)>& busy) {
    std::optional<PolicyId> number;
    for (std::size_t tries = free_.size(); tries > 0 && !number; --tries) {
        const PolicyId next = free_.front();
        free_.pop_front();
        if (busy(next))
            free_.push_back(next);
        else
            number = next;
    }
    if (!number && fresh_ < limit_)
        number = PolicyId{fresh_++};
    if (number) {
        taken_.insert(*number);
        changed_[*number] = "";
    }
    return number;
}

void PolicyNumbers::give_back(PolicyId number) {
    taken_.erase(number);
    free_.push_back(number);
    changed_[number] = std::nullopt;
}

std::vector<ike::JournalEntry> PolicyNumbers::take_memory() {
    std::vector<ike::JournalEntry> entries;
    for (const auto& [number, key] : std::exchange(changed_, {}))
        entries.push_back(entry_of(number, key));
    return entries;
}

std::vector<ike::JournalEntry> PolicyNumbers::whole_memory() const {
    std::vector<ike::JournalEntry> entries;
    for (const auto& [key, number] : numbers_)
        entries.push_back(entry_of(number, key));
    for (const PolicyId number : taken_)
        entries.push_back(entry_of(number, ""));
    return entries;
}

Status PolicyNumbers::resume(const std::vector<ike::JournalEntry>& entries) {
    std::set<PolicyId> used;
    for (const ike::JournalEntry& entry : entries) {
        if (!is_kind(entry.key, JournalKind::PolicyNumber))
            continue;
        const PolicyId number{static_cast<std::uint32_t>(entry.key.number)};
        std::string key;
        ike::Loader loader{entry.octets.view()};
        loader(key);
        if (!loader.done() || number.value >= limit_)
            return fail(ErrorCode::Malformed,
                        "policy number " + std::to_string(entry.key.number) + " cannot be read");
        if (key.empty())
            taken_.insert(number);
        else
            numbers_[key] = number;
        used.insert(number);
    }
    fresh_ = used.empty() ? 0 : used.rbegin()->value + 1;
    free_.clear();
    for (PolicyId number{0}; number.value < fresh_; ++number.value)
        if (!used.contains(number))
            free_.push_back(number);
    changed_.clear();
    return {};
}

void PolicyNumbers::keep_taken(const std::set<PolicyId>& kept) {
    std::vector<PolicyId> others;
    std::ranges::set_difference(taken_, kept, std::back_inserter(others));
    for (const PolicyId number : others)
        give_back(number);
}

} // namespace adit

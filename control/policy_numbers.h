// SPDX-License-Identifier: Apache-2.0
// The rows of the dataplane's policy table: each ACL line has one and keeps it while the line
// exists, also across a crash of control; policies made at run time get what is left.
//
// Threading: control's loop.
#pragma once

#include "common/error.h"
#include "common/types.h"
#include "control/ike/journal_entry.h"

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace adit {

class PolicyNumbers {
  public:
    /// The same key gets the same number until forget_others() let go of it.
    PolicyId number(const std::string& key);

    /// Numbers that `kept` does not name may be given to new keys, longest unused first.
    void forget_others(const std::map<PolicyId, std::string>& kept);

    /// For a policy made at run time: a number that nobody has and that is not `busy`. Nothing when
    /// the dataplane's table is full.
    std::optional<PolicyId> take(const std::function<bool(PolicyId)>& busy);

    void give_back(PolicyId number);

    /// As many as the dataplane's table holds.
    void set_limit(std::uint32_t limit) { limit_ = limit; }

    /// What has changed since the last call, for the journal; and everything.
    [[nodiscard]] std::vector<ike::JournalEntry> take_memory();
    [[nodiscard]] std::vector<ike::JournalEntry> whole_memory() const;

    /// As the entries of a control before say; others are passed over. Malformed when one cannot
    /// be read.
    Status resume(const std::vector<ike::JournalEntry>& entries);
    /// Of the numbers taken for policies made at run time, no others are in use after all.
    void keep_taken(const std::set<PolicyId>& kept);

  private:
    std::uint32_t limit_{0};
    std::uint32_t fresh_{0}; // as many were ever in use
    std::map<std::string, PolicyId> numbers_;
    std::set<PolicyId> taken_; // for policies made at run time
    std::deque<PolicyId> free_;
    std::map<PolicyId, std::optional<std::string>> changed_; // to whose they are; nothing: free
};

} // namespace adit

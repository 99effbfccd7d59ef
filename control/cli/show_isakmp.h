// SPDX-License-Identifier: Apache-2.0
// show crypto isakmp ...: phase 1. Exact texts for the readers of CLI tools; what routers do not
// have stands in commands of its own.
//
// Threading: pure functions of a snapshot.
#pragma once

#include "control/cli/snapshot.h"

#include <string>

namespace adit::cli {

/// show crypto isakmp sa: dst is the responder, src the initiator.
std::string show_isakmp_sa(const Snapshot& snapshot);
/// show crypto isakmp sa detail
/// show crypto isakmp sa active | standby: with a slot, as its readers want it.
std::string show_isakmp_sa_active(const Snapshot& snapshot);
std::string show_isakmp_sa_standby(const Snapshot& snapshot);
std::string show_isakmp_sa_detail(const Snapshot& snapshot);
/// show crypto isakmp sa count
std::string show_isakmp_sa_count(const Snapshot& snapshot);
/// show crypto isakmp policy
std::string show_isakmp_policy(const Snapshot& snapshot);
/// show crypto isakmp default policy: the built-in ones, as long as they are in force.
std::string show_isakmp_default_policy(const Snapshot& snapshot);
/// show crypto isakmp key: which peers have a key; never the key.
std::string show_isakmp_key(const Snapshot& snapshot);
/// show crypto isakmp peers
std::string show_isakmp_peers(const Snapshot& snapshot);
/// show crypto isakmp profile: whom each matches and where its keys are.
std::string show_isakmp_profile(const Snapshot& snapshot);
/// show crypto isakmp failures: every named reason, its counter and what it means.
std::string show_isakmp_failures(const Snapshot& snapshot);

} // namespace adit::cli

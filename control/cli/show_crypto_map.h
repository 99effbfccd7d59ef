// SPDX-License-Identifier: Apache-2.0
// show crypto map: the entries as configured, with the peer now in use, and what peers of dynamic
// entries brought along.
//
// Threading: pure functions of a snapshot.
#pragma once

#include "control/cli/snapshot.h"

#include <string>

namespace adit::cli {

struct CryptoMapFilter {
    std::string name;      // show crypto map tag NAME; empty: all
    std::string interface; // show crypto map interface I; empty: all
};

/// show crypto map [tag NAME | interface I]
std::string show_crypto_map(const Snapshot& snapshot, const CryptoMapFilter& filter = {});

/// show crypto dynamic-map [tag NAME]
std::string show_crypto_dynamic_map(const Snapshot& snapshot, const std::string& tag = {});

/// `show crypto ipsec profile [NAME]`
std::string show_ipsec_profile(const Snapshot& snapshot, const std::string& name);

} // namespace adit::cli

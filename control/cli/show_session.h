// SPDX-License-Identifier: Apache-2.0
// show crypto session: both phases by peer.
//
// Threading: pure functions of a snapshot.
#pragma once

#include "control/cli/snapshot.h"

#include <optional>
#include <string>

namespace adit::cli {

enum class SessionForm : std::uint8_t {
    Plain,
    Detail,
    Brief,
};

/// show crypto session [remote A] [detail | brief]
std::string show_crypto_session(const Snapshot& snapshot,
                                SessionForm form,
                                std::optional<Ipv4Address> peer = std::nullopt);

} // namespace adit::cli

// SPDX-License-Identifier: Apache-2.0
// A child SA turned into what the dataplane needs for one direction, and into a packet analyser's
// table row.
//
// Threading: pure functions. Source: RFC 2401 4.4.3.
#pragma once

#include "control/ike/keymat.h"
#include "control/ike/state.h"

#include <string>

namespace adit::ike {

enum class Direction : std::uint8_t { Inbound, Outbound };

InstallSaAction make_install(const ChildSa& child, Direction direction, EspKeys keys);

/// A row of tshark's `esp_sa` table.
std::string esp_sa_line(const InstallSaAction& install);

} // namespace adit::ike

// SPDX-License-Identifier: Apache-2.0
// Interface names: "gi0/0", "Gi 0/0" and "GigabitEthernet0/0" are one interface.
//
// Threading: pure functions.
#pragma once

#include "common/error.h"

#include <span>
#include <string>
#include <string_view>

namespace adit::config {

/// Types we know by name, canonical spelling.
std::span<const char* const> interface_types();

/// Canonical type of a unique abbreviation: "gi" -> "GigabitEthernet".
Result<std::string> interface_type(std::string_view abbreviation);

/// "0", "0/1", "0/0/0.70".
bool is_interface_number(std::string_view text);

/// Canonical name of "gi0/0" or "gi 0/0".
Result<std::string> canonical_interface(std::string_view text);

} // namespace adit::config

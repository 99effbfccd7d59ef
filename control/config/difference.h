// SPDX-License-Identifier: Apache-2.0
// What one configuration has and another has not, line by line under the blocks they stand in.
//
// Threading: pure functions.
#pragma once

#include "control/config/model.h"

#include <string>

namespace adit::config {

/// "+line" and "-line" lead from `from` to `to`; a block whose lines alone differ is named above
/// them. Secrets are compared and not shown. Empty when nothing differs.
///
///     crypto isakmp policy 10
///      -group 14
///      +group 19
///     +crypto isakmp policy 20
///      +encr aes 256
std::string differences(const Config& from, const Config& to);

} // namespace adit::config

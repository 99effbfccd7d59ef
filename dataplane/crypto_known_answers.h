// SPDX-License-Identifier: Apache-2.0
// The self-test at start: every algorithm, both directions, alone and in company (a lone job and a
// full set of lanes take different paths through the library), against answers made by others.
#pragma once

#include "common/error.h"

namespace adit::dataplane {

class CryptoMb;

/// Names the algorithm that gave a wrong answer. Called by CryptoMb::create.
Status run_known_answers(CryptoMb& crypto);

} // namespace adit::dataplane

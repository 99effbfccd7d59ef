// SPDX-License-Identifier: Apache-2.0
// Hands the frames collected for a port to its driver.
//
// Exits by drop: TxFull.
#pragma once

#include "dataplane/worker_context.h"

namespace adit::dataplane {

void transmit(WorkerPort& port, WorkerContext& context) noexcept;

} // namespace adit::dataplane

// SPDX-License-Identifier: Apache-2.0
// Hands the frames collected for a port to its driver, or to the worker whose queue they leave by.
//
// Exits by handover: frames for a port on which this worker has no queue.
// Exits by drop: TxFull.
#pragma once

#include "dataplane/worker_context.h"

namespace adit::dataplane {

void transmit(WorkerPort& port, WorkerContext& context) noexcept;

} // namespace adit::dataplane

// SPDX-License-Identifier: Apache-2.0
// Gathers what `show` prints from where it lives: configuration, engine, SA database, and the
// dataplane's pages, whose every count is bounded before it is used.
//
// Threading: control's loop.
#pragma once

#include "common/ipc/channel.h"
#include "control/cli/snapshot.h"
#include "control/ike/engine.h"
#include "control/pki/trustpoint_set.h"
#include "control/provision.h"
#include "control/sa/sa_db.h"
#include "control/tunnel_keeper.h"

#include <string>

namespace adit {

struct SnapshotSources {
    std::shared_ptr<const config::Config> config;
    const ike::Engine& engine;
    const sa::SaDb& db;
    const Provision& provision;
    const TunnelKeeper& tunnels;
    const pki::TrustpointSet& trustpoints;
    const ipc::ControlChannel* channel; // null while no dataplane is attached
    std::string dataplane_trouble;
    Instant started;
};

cli::Snapshot build_snapshot(const SnapshotSources& sources);

} // namespace adit

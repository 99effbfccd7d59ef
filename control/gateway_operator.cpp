// SPDX-License-Identifier: Apache-2.0
// What an operator asks of the gateway.
#include "control/gateway.h"
#include "control/snapshot_builder.h"

#include <algorithm>
#include <fcntl.h>

namespace adit {

void Gateway::clear_phase1(std::optional<Ipv4Address> peer, std::optional<ConnId> conn_id) {
    handle(ike::ClearPhase1{peer, conn_id});
}

void Gateway::clear_phase2(std::optional<Ipv4Address> peer) {
    handle(ike::ClearPhase2{peer});
}

Status Gateway::initiate(Ipv4Address peer) {
    bool found = false;
    for (const ike::Connection* connection : connections_with(*provision_.engine, peer)) {
        if (connection->dynamic)
            continue;
        found = true;
        handle(ike::Initiate{connection->name, kNoPolicy, ike::Initiate::Cause::Command});
    }
    if (!found)
        return fail(ErrorCode::NotFound,
                    "no crypto map entry on an interface and no tunnel names peer " +
                        to_string(peer));
    return {};
}

Status Gateway::debug_isakmp(DebugSink sink) {
    // Nobody reads the lines of more peers than this, and all of them wait while they are made.
    constexpr std::size_t kMostUnconditional = 200;
    if (sink && debug_condition_.empty() && engine_->isakmp_sas().size() > kMostUnconditional)
        return fail(ErrorCode::Conflict,
                    "more than " + std::to_string(kMostUnconditional) +
                        " ISAKMP SAs: name a peer first by debug crypto condition peer ipv4");
    isakmp_debug_ = std::move(sink);
    engine_->set_debug(isakmp_debug_ != nullptr, key_file_ != nullptr);
    return {};
}

void Gateway::set_debug_condition(ike::DebugCondition condition) {
    debug_condition_ = std::move(condition);
    engine_->set_debug_condition(debug_condition_);
}

Status Gateway::export_keys(const std::string& path) {
    key_file_.reset();
    if (!path.empty()) {
        const int fd =
            ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
            return fail_errno("create " + path);
        key_file_.reset(::fdopen(fd, "w"));
        log({Severity::Warning, "SYS", "KEY_EXPORT", "keys of new SAs are written to " + path, ""});
    }
    engine_->set_debug(isakmp_debug_ != nullptr, key_file_ != nullptr);
    return {};
}

void Gateway::clear_sa_counters(std::optional<Ipv4Address> peer) {
    for (const ike::Connection& connection : provision_.engine->connections) {
        if (peer && std::ranges::find(connection.peers, *peer) == connection.peers.end())
            continue;
        for (const ike::Flow& flow : connection.flows)
            db_.reset_counters(flow.policy);
    }
    for (const ike::ChildSaView& child : engine_->child_sas())
        if (child.own_policy && (!peer || child.remote.address == *peer))
            db_.reset_counters(child.policy);
}

void Gateway::clear_interface_counters() {
    interface_baseline_.clear();
    for (cli::InterfaceStatus& status : snapshot().interfaces)
        interface_baseline_.emplace(status.name, std::move(status));
}

static void subtract(cli::InterfaceStatus& from, const cli::InterfaceStatus& base) {
    using Counter = std::uint64_t cli::InterfaceStatus::*;
    static constexpr Counter kCounters[] = {&cli::InterfaceStatus::in_packets,
                                            &cli::InterfaceStatus::in_bytes,
                                            &cli::InterfaceStatus::in_errors,
                                            &cli::InterfaceStatus::in_missed,
                                            &cli::InterfaceStatus::in_no_buffer,
                                            &cli::InterfaceStatus::in_broadcasts,
                                            &cli::InterfaceStatus::out_packets,
                                            &cli::InterfaceStatus::out_bytes,
                                            &cli::InterfaceStatus::out_errors};
    for (const Counter counter : kCounters)
        from.*counter -= std::min(from.*counter, base.*counter);
}

cli::Snapshot Gateway::snapshot() const {
    cli::Snapshot snapshot =
        build_snapshot({config_,
                        *engine_,
                        db_,
                        provision_,
                        tunnels_,
                        trustpoints_,
                        dataplane_.attached() ? &dataplane_.channel() : nullptr,
                        dataplane_.trouble(),
                        started_});
    for (cli::InterfaceStatus& status : snapshot.interfaces)
        if (const auto base = interface_baseline_.find(status.name);
            base != interface_baseline_.end())
            subtract(status, base->second);
    return snapshot;
}

} // namespace adit

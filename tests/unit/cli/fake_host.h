// SPDX-License-Identifier: Apache-2.0
// A process that does nothing but remember what its operators asked for.
#pragma once

#include "control/cli/session.h"
#include "control/config/render.h"
#include "tests/unit/cli/show_fixture.h"

#include <map>
#include <string>
#include <vector>

namespace adit::cli::test {

class FakeHost final : public SessionHost {
  public:
    FakeHost() {
        config::Config config = sample_config();
        config.isakmp_policies[10].encryption_configured = true;
        running = std::make_shared<const config::Config>(std::move(config));
    }

    Snapshot snapshot() override {
        Snapshot now = sample();
        now.config = running;
        return now;
    }

    std::shared_ptr<const config::Config> running_config() override { return running; }

    std::vector<config::Problem> problems() override { return found; }

    std::vector<std::string> log_buffer() override {
        return {"*Nov 23 09:00:04.420: %SYS-5-RESTART: System restarted"};
    }

    std::vector<PeerRecord> history(std::optional<Ipv4Address> peer) override {
        std::vector<PeerRecord> wanted;
        for (const PeerRecord& record : records)
            if (!peer || record.peer == *peer)
                wanted.push_back(record);
        return wanted;
    }

    Status clear_sa(std::optional<Ipv4Address> peer) override { return done("clear sa", peer); }

    Status clear_sa_counters(std::optional<Ipv4Address> peer) override {
        return done("clear sa counters", peer);
    }

    Status clear_isakmp(std::optional<ConnId> conn_id) override {
        return done("clear isakmp" + (conn_id ? ' ' + std::to_string(conn_id->value) : ""));
    }

    Status clear_session(std::optional<Ipv4Address> peer) override {
        return done("clear session", peer);
    }

    void clear_log() override { asked.emplace_back("clear log"); }

    Status clear_interface_counters() override { return done("clear counters"); }

    Status clear_arp() override { return done("clear arp"); }

    Status initiate(Ipv4Address peer) override {
        if (peer != kPeer)
            return fail(ErrorCode::NotFound, "No crypto map names the peer " + to_string(peer));
        return done("initiate", peer);
    }

    Status set_debug(DebugTopic topic, bool on) override {
        return done(std::string("debug ") + (topic == DebugTopic::Isakmp ? "isakmp" : "ipsec") +
                    (on ? " on" : " off"));
    }

    [[nodiscard]] const ike::DebugCondition& debug_condition() const override { return condition; }

    void set_debug_condition(ike::DebugCondition wanted) override { condition = std::move(wanted); }

    Status export_keys(std::optional<std::string> path) override {
        return done("keys " + path.value_or("off"));
    }

    Status apply_config(config::Config config) override {
        if (refuse_config)
            return fail(ErrorCode::Conflict, "the data plane refused it");
        running = std::make_shared<const config::Config>(std::move(config));
        return done("apply");
    }

    Status save_config() override {
        files["startup-config"] = config::render(*running, config::Secrets::Clear);
        return done("save");
    }

    [[nodiscard]] bool debugging(DebugTopic topic) const override {
        return !asked.empty() && asked.back().ends_with("on") && topic == DebugTopic::Isakmp;
    }

    Result<std::string> startup_config() override { return read_file("startup-config"); }

    Result<std::string> read_file(const std::string& name) override {
        if (const auto found = files.find(name); found != files.end())
            return found->second;
        return fail(ErrorCode::NotFound, "there is no file " + name);
    }

    Status write_file(const std::string& name, const std::string& text) override {
        files[name] = text;
        return {};
    }

    Machine machine() override {
        Machine machine{.disk_bytes = 1'000'000,
                        .disk_free_bytes = 400'000,
                        .memory_bytes = 8'388'608,
                        .memory_free_bytes = 2'097'152,
                        .memory_available_bytes = 4'194'304,
                        .control_bytes = 1'048'576};
        for (const auto& [name, text] : files)
            machine.files.push_back({name, text.size(), WallTime{std::chrono::hours{498'000}}});
        return machine;
    }

    std::vector<OperatorLine> operators() override { return {{0, "admin", 0}, {3, "noc", 75}}; }

    Status arm_revert(std::chrono::minutes after) override {
        former = former ? former : running;
        revert_after = after;
        return {};
    }

    Status confirm_config() override {
        if (!std::exchange(former, nullptr))
            return fail(ErrorCode::NotFound, "No Rollback Confirmed Change pending");
        return {};
    }

    Status revert_now() override {
        if (!former)
            return fail(ErrorCode::NotFound, "No Rollback Confirmed Change pending");
        running = std::exchange(former, nullptr);
        return {};
    }

    std::optional<std::chrono::seconds> revert_due() override {
        return former ? std::optional<std::chrono::seconds>{revert_after} : std::nullopt;
    }

    void log(const LogRecord& record) override { logged.push_back(format(record)); }

    std::shared_ptr<const config::Config> running;
    std::shared_ptr<const config::Config> former;
    std::chrono::minutes revert_after{};
    std::map<std::string, std::string> files;
    std::vector<PeerRecord> records;
    ike::DebugCondition condition;
    std::vector<config::Problem> found;
    std::vector<std::string> asked;
    std::vector<std::string> logged;
    bool refuse_config{false};

  private:
    Status done(std::string what, std::optional<Ipv4Address> peer = std::nullopt) {
        asked.push_back(std::move(what) + (peer ? ' ' + to_string(*peer) : ""));
        return {};
    }
};

} // namespace adit::cli::test

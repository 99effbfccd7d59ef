// SPDX-License-Identifier: Apache-2.0
// The composition root of adit-control: owns every long-lived object, in an order whose reverse is
// the order in which they may end.
#pragma once

#include "common/service_manager.h"
#include "control/cli/server.h"
#include "control/config/parse.h"
#include "control/gateway.h"
#include "control/log_buffer.h"
#include "control/metrics_server.h"
#include "control/operator_desk.h"
#include "control/options.h"

#include <memory>
#include <string>

namespace adit {

/// A configuration file, read and checked.
struct StartupConfig {
    std::string text;
    config::ParseResult parsed;
};

class App {
  public:
    /// Reads the configuration, opens the CLI socket, looks for the dataplane. The error's text is
    /// what to print before exiting.
    static Result<std::unique_ptr<App>> start(const Options& options);

    App(const App&) = delete;
    App& operator=(const App&) = delete;
    ~App();

    /// Until SIGTERM or SIGINT; then says goodbye to all peers.
    Status run();

  private:
    class LoopWatcher;

    App(const Options& options, EventLoop loop);

    Status open(const Options& options, StartupConfig startup);
    void on_signal(int signal);
    void tell_alive();
    void wait_until_drained(Instant give_up);

    Options options_;
    EventLoop loop_;
    SystemRng rng_;
    Logger log_;
    LogBuffer buffer_;
    std::unique_ptr<Gateway> gateway_;
    std::unique_ptr<OperatorDesk> desk_;
    std::unique_ptr<LoopWatcher> watcher_;
    std::unique_ptr<cli::CliServer> server_;
    std::unique_ptr<MetricsServer> metrics_;
    ServiceManager manager_{ServiceManager::from_environment()};
    bool stopping_{false};
};

/// Prints nothing.
Result<StartupConfig> read_config(const std::string& path);

} // namespace adit

// SPDX-License-Identifier: Apache-2.0
// The composition root: owns everything that lives as long as the process, in order of
// construction.
//
// Threading: create() and run() on the main thread, which becomes the housekeeper; run() starts the
// workers on their own.
#pragma once

#include "common/log.h"
#include "common/service_manager.h"
#include "dataplane/eal.h"
#include "dataplane/eth_port.h"
#include "dataplane/housekeeper.h"
#include "dataplane/mbuf_pool.h"
#include "dataplane/options.h"

#include <atomic>
#include <memory>

namespace adit::dataplane {

class App {
  public:
    static Result<std::unique_ptr<App>> create(const Options& options, Logger& log);

    App(const App&) = delete;
    App& operator=(const App&) = delete;

    /// Forwards until `stop` is set.
    Status run(const std::atomic<bool>& stop);

  private:
    App(Eal eal,
        MbufPool pool,
        std::vector<EthPort> ports,
        ipc::DataplaneStats stats,
        Crossing crossing,
        Logger& log);

    Status make_workers(const Options& options);
    [[nodiscard]] WorkerConfig worker_config(WorkerId id, const Options& options) const;
    void log_start(const Options& options, Instant now);
    void log_port(const EthPort& port, Instant now);
    void tell_alive(Instant now);

    Eal eal_;
    MbufPool pool_;
    std::vector<EthPort> ports_;
    ipc::DataplaneStats stats_;
    Shared shared_;
    std::vector<std::unique_ptr<Worker>> workers_;
    Logger* log_;
    std::unique_ptr<Housekeeper> housekeeper_;
    ServiceManager manager_{ServiceManager::from_environment()};
};

} // namespace adit::dataplane

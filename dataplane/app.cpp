// SPDX-License-Identifier: Apache-2.0
#include "dataplane/app.h"

#include "common/random.h"

#include <algorithm>
#include <cerrno>
#include <pwd.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <sched.h>
#include <sys/stat.h>

namespace adit::dataplane {

namespace {

Result<ipc::HandshakeServer> listen(const Options& options) {
    ipc::ServerConfig config{.path = options.socket};
    if (!options.control_user.empty()) {
        const passwd* user = getpwnam(options.control_user.c_str());
        if (user == nullptr)
            return fail(ErrorCode::NotFound,
                        "--control-user: there is no user '" + options.control_user +
                            "'; create it (useradd --system " + options.control_user +
                            ") or leave the option out");
        config.control_uid = user->pw_uid;
        config.group = user->pw_gid;
    }
    const std::size_t slash = options.socket.rfind('/');
    if (slash != std::string::npos && slash > 0) {
        const std::string folder = options.socket.substr(0, slash);
        if (mkdir(folder.c_str(), 0755) != 0 && errno != EEXIST)
            return fail_errno("--socket " + options.socket + ": cannot make folder " + folder);
    }
    return ipc::HandshakeServer::listen(config);
}

/// The NUMA socket that all NICs are on; SOCKET_ID_ANY when they are on several, or there is none.
int common_socket(const std::vector<PortSpec>& specs) {
    int common = SOCKET_ID_ANY;
    for (const PortSpec& spec : specs) {
        const int socket = EthPort::numa_socket_of(spec);
        if (common >= 0 && socket >= 0 && socket != common)
            return SOCKET_ID_ANY;
        common = std::max(common, socket);
    }
    return common;
}

/// One pool serves all ports: buffers for the largest frame of any.
Result<PoolPlan> pool_plan(const Options& options) {
    std::uint16_t room = 0;
    for (const PortSpec& spec : options.ports)
        room = std::max(room, spec.frame_room_bytes(TRY(EthPort::planned_mtu(spec))));
    return PoolPlan::fill(options.eal.memory_mb, room, common_socket(options.ports));
}

unsigned allowed_cpus() {
    cpu_set_t set;
    CPU_ZERO(&set);
    return sched_getaffinity(0, sizeof set, &set) == 0 ? static_cast<unsigned>(CPU_COUNT(&set)) : 1;
}

/// Polling workers on one CPU would take it from each other for whole slices of time.
Status check_cpus(const EalConfig& config, Logger& log) {
    const unsigned cpus = allowed_cpus();
    if (config.idle != IdleMode::Poll || config.workers < cpus)
        return {};
    const std::string there = "--workers " + std::to_string(config.workers) +
                              " with --idle poll, and " + std::to_string(cpus) +
                              (cpus == 1 ? " CPU" : " CPUs");
    if (config.workers > cpus)
        return fail(ErrorCode::Exhausted,
                    there + ": a polling worker needs a CPU of its own; use --workers " +
                        std::to_string(cpus) + " at most, or --idle sleep");
    log.write({Severity::Warning,
               "SYS",
               "CPUS",
               there + ": none is left for IKE and ARP, which wait for a worker's slice to end; "
                       "--idle sleep makes room",
               {}},
              MonotonicClock::now());
    return {};
}

struct Launch {
    Worker* worker;
    const std::atomic<bool>* stop;
};

int run_worker(void* argument) {
    const Launch& launch = *static_cast<const Launch*>(argument);
    launch.worker->run(*launch.stop);
    return 0;
}

} // namespace

Result<std::unique_ptr<App>> App::create(const Options& options, Logger& log) {
    TRY_VOID(check_cpus(options.eal, log));
    // Early, because it is what fails when this dataplane already runs.
    ipc::HandshakeServer server = TRY(listen(options));
    Eal eal = TRY(Eal::start(options.eal));
    const PoolPlan plan = TRY(pool_plan(options));
    MbufPool pool = TRY(MbufPool::create("packets", plan));
    std::vector<EthPort> ports;
    ipc::ChannelConfig config{.workers = options.eal.workers,
                              .max_sas = options.max_sas,
                              .max_policies = options.max_policies};
    for (const PortSpec& spec : options.ports) {
        const auto workers = static_cast<std::uint16_t>(options.eal.workers);
        ports.push_back(TRY(EthPort::open(spec, pool, workers)));
        config.port_names.push_back(spec.name);
    }
    SystemRng rng;
    ipc::DataplaneStats stats = TRY(ipc::DataplaneStats::create(config, rng));
    Crossing crossing = TRY(Crossing::create(options.eal.workers, options.max_policies));
    std::unique_ptr<App> app{new App(std::move(eal),
                                     std::move(pool),
                                     std::move(ports),
                                     std::move(stats),
                                     std::move(crossing),
                                     log)};
    TRY_VOID(app->make_workers(options));

    std::vector<Worker*> workers;
    for (const auto& worker : app->workers_)
        workers.push_back(worker.get());
    app->housekeeper_ = std::make_unique<Housekeeper>(
        HousekeeperParts{
            app->shared_, app->stats_, std::move(workers), app->ports_, app->pool_, log},
        std::move(server));
    app->log_start(options, MonotonicClock::now());
    return app;
}

App::App(Eal eal,
         MbufPool pool,
         std::vector<EthPort> ports,
         ipc::DataplaneStats stats,
         Crossing crossing,
         Logger& log)
    : eal_(std::move(eal)), pool_(std::move(pool)), ports_(std::move(ports)),
      stats_(std::move(stats)),
      shared_(stats_.config().workers, stats_.neighbors(), std::move(crossing)), log_(&log) {
    // Until control speaks: no interface has an address, so nothing passes.
    shared_.tables.publish(std::make_unique<Tables>());
}

Status App::make_workers(const Options& options) {
    if (!CryptoMb::supports(options.crypto))
        return fail(ErrorCode::Unsupported,
                    "--crypto: this CPU does not have that instruction set; use --crypto auto");
    for (std::uint8_t id = 0; id < options.eal.workers; ++id) {
        const WorkerConfig config = worker_config(WorkerId{id}, options);
        workers_.push_back(TRY(Worker::create(config, shared_, stats_)));
        if (id > 0)
            workers_[id]->pass_injected_to(*workers_[id - 1]);
    }
    return {};
}

WorkerConfig App::worker_config(WorkerId id, const Options& options) const {
    WorkerConfig config{.id = id,
                        .crypto = options.crypto,
                        .idle = options.eal.idle,
                        .ports = {},
                        .rx_queues = {},
                        .pool = pool_.get()};
    std::vector<std::uint16_t> rx_queues;
    for (const EthPort& port : ports_) {
        const WorkerId sender = sender_for(id, port.tx_queues());
        config.ports.push_back({.dpdk_port = port.id(),
                                .mac = port.mac(),
                                .offloads = port.offloads(),
                                .tx_queue = id.value,
                                .sender = sender != id ? std::optional{sender} : std::nullopt});
        rx_queues.push_back(port.rx_queues());
    }
    config.rx_queues = rx_queues_of(id, options.eal.workers, rx_queues);
    return config;
}

void App::log_start(const Options& options, Instant now) {
    std::string text = "adit-dataplane " ADIT_VERSION ", crypto ";
    text += workers_.front()->crypto_arch();
    text += ", workers " + std::to_string(workers_.size());
    text += options.eal.idle == IdleMode::Sleep ? ", idle sleep" : ", idle poll";
    text += options.eal.hugepages == Hugepages::On ? ", hugepages on" : ", hugepages off";
    text += ", socket " + options.socket;
    log_->write({Severity::Notice, "SYS", "START", std::move(text), {}}, now);
    for (const EthPort& port : ports_)
        log_port(port, now);
}

void App::log_port(const EthPort& port, Instant now) {
    log_->write({Severity::Notice, "SYS", "PORT", port.describe(), port.name()}, now);
    for (unsigned worker = 0; worker < workers_.size(); ++worker) {
        const int near = static_cast<int>(rte_lcore_to_socket_id(worker + 1));
        if (near < 0 || port.numa_socket() < 0 || near == port.numa_socket())
            continue;
        const std::string socket = std::to_string(port.numa_socket());
        log_->write({Severity::Warning,
                     "SYS",
                     "PORT_FAR",
                     port.name() + " is on NUMA socket " + socket + ", worker " +
                         std::to_string(worker) + " on " + std::to_string(near) +
                         ": every packet crosses between them; start with taskset -c and CPUs of "
                         "socket " +
                         socket + " (lscpu shows them)",
                     port.name()},
                    now);
    }
}

Status App::run(const std::atomic<bool>& stop) {
    std::vector<Launch> launches;
    for (const auto& worker : workers_)
        launches.push_back({worker.get(), &stop});
    for (unsigned i = 0; i < launches.size(); ++i)
        if (rte_eal_remote_launch(run_worker, &launches[i], i + 1) != 0)
            return fail(ErrorCode::System, "worker " + std::to_string(i) + " does not start");
    manager_.ready();
    housekeeper_->run(stop, [this](Instant now) { tell_alive(now); });
    manager_.stopping();
    rte_eal_mp_wait_lcore();
    log_->write({Severity::Notice, "SYS", "STOP", "adit-dataplane stops on request", {}},
                MonotonicClock::now());
    return {};
}

/// The housekeeper turns, or it would not ask; workers that stand still must not go unnoticed.
void App::tell_alive(Instant now) {
    constexpr Duration kLongestTurn = std::chrono::seconds{1};
    for (std::uint32_t worker = 0; worker < workers_.size(); ++worker) {
        const auto beat = ipc::read(stats_.core_stats(worker).heartbeat_ns);
        if (Instant{Duration{static_cast<std::int64_t>(beat)}} + kLongestTurn < now)
            return;
    }
    manager_.alive(now);
}

} // namespace adit::dataplane

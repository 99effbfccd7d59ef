// SPDX-License-Identifier: Apache-2.0
#include "control/app.h"

#include "common/version.h"
#include "control/cli/show_metrics.h"
#include "control/config/store.h"

#include <csignal>
#include <sys/epoll.h>
#include <thread>

namespace adit {

/// How long a clean stop waits for the dataplane to take the deletes.
static constexpr Duration kDrainFor = std::chrono::milliseconds{500};

/// The CLI server's view of the loop.
class App::LoopWatcher final : public cli::FdWatcher {
  public:
    explicit LoopWatcher(EventLoop& loop) : loop_(loop) {}

    void add(int fd, Callback callback) override {
        const Status added =
            loop_.add(fd, EPOLLIN, [callback = std::move(callback)](std::uint32_t events) {
                callback((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0, (events & EPOLLOUT) != 0);
            });
        ENSURE(added.has_value());
    }

    void set_interest(int fd, cli::Interest interest) override {
        loop_.modify(fd, (interest.read ? EPOLLIN : 0U) | (interest.write ? EPOLLOUT : 0U));
    }

    void remove(int fd) override { loop_.remove(fd); }

  private:
    EventLoop& loop_;
};

Result<StartupConfig> read_config(const std::string& path) {
    StartupConfig startup{.text = TRY(config::load_text(path)), .parsed = {}};
    startup.parsed = config::parse_config(startup.text);
    return startup;
}

/// Every problem, so that one run of the program shows all of them.
static std::string list_problems(const std::string& path,
                                 const std::vector<config::Problem>& problems) {
    std::string text;
    for (const config::Problem& problem : problems)
        if (problem.severity == config::ProblemSeverity::Error)
            text += path + ": " + to_string(problem) + "\n";
    return text;
}

App::App(const Options& options, EventLoop loop) : options_(options), loop_(std::move(loop)) {}

App::~App() = default;

Result<std::unique_ptr<App>> App::start(const Options& options) {
    StartupConfig startup = TRY(read_config(options.config_path));
    if (!startup.parsed.ok())
        return fail(
            ErrorCode::Invalid,
            list_problems(options.config_path, startup.parsed.problems) +
                "configuration not used; mend the lines above (adit-control --check shows all)");
    TRY_VOID(ike::self_test());
    EventLoop loop = TRY(EventLoop::open());
    std::unique_ptr<App> app(new App(options, std::move(loop)));
    TRY_VOID(app->open(options, std::move(startup)));
    return app;
}

Status App::open(const Options& options, StartupConfig startup) {
    if (options.log_to_stderr)
        log_.add_sink(stderr_sink("adit-control"));
    log_.add_sink([this](const LogRecord&, const std::string& line) {
        const WallTime now = std::chrono::system_clock::now();
        buffer_.append(line, now);
        if (desk_)
            desk_->broadcast(router_timestamp(now) + ": " + line);
    });
    // Signals are blocked before the pool's threads exist, so that they inherit the mask.
    TRY_VOID(
        loop_.on_signals({SIGTERM, SIGINT, SIGHUP}, [this](int signal) { on_signal(signal); }));
    ike::CryptoPool pool = TRY(ike::CryptoPool::open(
        {.threads = std::max(1U, std::thread::hardware_concurrency() / 2)}, rng_));
    gateway_ =
        std::make_unique<Gateway>(loop_, log_, rng_, std::move(pool), options.dataplane_socket);
    desk_ = std::make_unique<OperatorDesk>(
        loop_, *gateway_, log_, buffer_, options.config_path, std::move(startup.parsed.problems));
    watcher_ = std::make_unique<LoopWatcher>(loop_);
    server_ = TRY(cli::CliServer::open({.path = options.cli_socket},
                                       *watcher_,
                                       [this](const cli::Caller& caller, cli::AsyncSink async) {
                                           return desk_->open_session(caller, std::move(async));
                                       }));
    if (!options.metrics.empty())
        metrics_ = TRY(MetricsServer::open(options.metrics, *watcher_, [this] {
            return cli::show_metrics(gateway_->snapshot(),
                                     gateway_->history().records(std::nullopt));
        }));
    log_.write(
        {Severity::Notice,
         "SYS",
         "RESTART",
         std::string("adit-control ") + kVersion + " started, configuration " + options.config_path,
         ""},
        MonotonicClock::now());
    loop_.set_before_sleep([this] { return gateway_->busy(); });
    loop_.set_after_wake([this] { gateway_->turn(); });
    TRY_VOID(gateway_->start(
        std::make_shared<const config::Config>(std::move(startup.parsed.config)), startup.text));
    manager_.ready();
    tell_alive();
    return {};
}

/// The loop turns, so all is well.
void App::tell_alive() {
    const Instant now = MonotonicClock::now();
    manager_.alive(now);
    if (const auto every = manager_.interval())
        loop_.call_at(now + *every, [this] { tell_alive(); });
}

Status App::run() {
    return loop_.run();
}

void App::on_signal(int signal) {
    if (signal == SIGHUP) {
        Result<StartupConfig> startup = read_config(options_.config_path);
        const std::string trouble =
            !startup               ? startup.error().text
            : startup->parsed.ok() ? std::string()
                                   : list_problems(options_.config_path, startup->parsed.problems);
        if (trouble.empty()) {
            gateway_->apply(
                std::make_shared<const config::Config>(std::move(startup->parsed.config)));
            gateway_->set_startup_text(startup->text);
        }
        log_.write({trouble.empty() ? Severity::Notice : Severity::Error,
                    "SYS",
                    "CONFIG_RELOAD",
                    trouble.empty() ? options_.config_path + " read again" : "not used: " + trouble,
                    ""},
                   MonotonicClock::now());
        return;
    }
    if (stopping_) { // asked twice: do not wait
        loop_.stop();
        return;
    }
    stopping_ = true;
    manager_.stopping();
    log_.write(
        {Severity::Notice, "SYS", "STOP", "adit-control stops on request; SAs are deleted", ""},
        MonotonicClock::now());
    gateway_->shut_down();
    wait_until_drained(MonotonicClock::now() + kDrainFor);
}

void App::wait_until_drained(Instant give_up) {
    const Instant now = MonotonicClock::now();
    if (now >= give_up || gateway_->drained()) {
        loop_.stop();
        return;
    }
    loop_.call_at(now + std::chrono::milliseconds{5},
                  [this, give_up] { wait_until_drained(give_up); });
}

} // namespace adit

// SPDX-License-Identifier: Apache-2.0
#include "dataplane/app.h"

#include <atomic>
#include <csignal>
#include <cstdio>

namespace {

std::atomic<bool> stop_requested{false};
static_assert(std::atomic<bool>::is_always_lock_free, "written by a signal handler");

void request_stop(int) {
    stop_requested.store(true, std::memory_order_relaxed);
}

void handle_signals() {
    struct sigaction action{};
    action.sa_handler = request_stop;
    sigaction(SIGTERM, &action, nullptr);
    sigaction(SIGINT, &action, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
}

int complain(const adit::Error& error) {
    std::fprintf(stderr, "adit-dataplane: %s\n", error.text.c_str());
    return 1;
}

} // namespace

int main(int argc, char** argv) {
    using namespace adit::dataplane;
    const auto options = parse_options(argc, argv);
    if (!options)
        return complain(options.error());
    if (options->action == OptionsAction::ShowHelp) {
        std::fputs(help_text().c_str(), stdout);
        return 0;
    }
    if (options->action == OptionsAction::ShowVersion) {
        std::puts("adit-dataplane " ADIT_VERSION);
        return 0;
    }
    handle_signals();
    adit::Logger log;
    log.add_sink(adit::stderr_sink("adit-dataplane"));
    auto app = App::create(*options, log);
    if (!app)
        return complain(app.error());
    if (const adit::Status status = (*app)->run(stop_requested); !status)
        return complain(status.error());
    return 0;
}

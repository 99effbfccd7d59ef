// SPDX-License-Identifier: Apache-2.0
#include "control/app.h"

#include <cstdio>
#include <sys/prctl.h>
#include <sys/resource.h>

namespace adit {
namespace {

int check_config(const std::string& path) {
    const Result<StartupConfig> startup = read_config(path);
    if (!startup) {
        std::fprintf(stderr, "adit-control: %s\n", startup.error().text.c_str());
        return 1;
    }
    const config::ParseResult& parsed = startup->parsed;
    for (const config::Problem& problem : parsed.problems)
        std::printf("%s: %s\n", path.c_str(), to_string(problem).c_str());
    std::printf("%s: %s\n", path.c_str(), parsed.ok() ? "usable" : "not usable");
    return parsed.ok() ? 0 : 1;
}

/// Keys live in this process: no core file, no reading by others.
void keep_memory_private() {
    const rlimit none{0, 0};
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0);
}

int run(const Options& options) {
    keep_memory_private();
    const Result<std::unique_ptr<App>> app = App::start(options);
    if (!app) {
        std::fprintf(stderr, "adit-control: %s\n", app.error().text.c_str());
        return 1;
    }
    const Status ended = (*app)->run();
    if (!ended) {
        std::fprintf(stderr, "adit-control: %s\n", ended.error().text.c_str());
        return 1;
    }
    return 0;
}

} // namespace
} // namespace adit

int main(int argc, char** argv) {
    const std::variant<adit::Options, adit::ExitWith> parsed = adit::parse_options(argc, argv);
    if (const auto* exit = std::get_if<adit::ExitWith>(&parsed)) {
        std::fputs(exit->text.c_str(), exit->status == 0 ? stdout : stderr);
        return exit->status;
    }
    const auto& options = std::get<adit::Options>(parsed);
    return options.check_only ? adit::check_config(options.config_path) : adit::run(options);
}

// SPDX-License-Identifier: Apache-2.0
#include "control/options.h"

#include "common/version.h"

#include <boost/program_options.hpp>
#include <sstream>

namespace adit {

namespace po = boost::program_options;

static constexpr const char* kExamples = R"(
Examples:
  adit-control --config /etc/adit/startup-config
      Run with the configuration in that file, beside an adit-dataplane on this machine.
  adit-control --check new-config
      Read the file, name every line that is wrong or not supported, change nothing.
      Exit status 0: it would run. 1: it would not.
)";

static po::options_description describe(Options& options) {
    po::options_description description("Options");
    description.add_options() //
        ("config",
         po::value(&options.config_path)->value_name("FILE"),
         "configuration in IOS syntax, read at start and written by `write memory`; "
         "e.g. --config /etc/adit/startup-config") //
        ("check",
         po::value<std::string>()->value_name("FILE"),
         "only check this configuration file and say what is wrong; e.g. --check new-config") //
        ("dataplane",
         po::value(&options.dataplane_socket)
             ->value_name("SOCKET")
             ->default_value("/run/adit/dataplane.sock"),
         "where adit-dataplane listens; e.g. --dataplane /run/gw-a/dataplane.sock") //
        ("cli",
         po::value(&options.cli_socket)
             ->value_name("SOCKET")
             ->default_value("/run/adit/control.sock"),
         "where the CLI (adit) finds us; e.g. --cli /run/gw-a/control.sock") //
        ("metrics",
         po::value(&options.metrics)->value_name("WHERE"),
         "serve Prometheus metrics over HTTP on a Unix socket or a port of the loopback; "
         "e.g. --metrics /run/adit/metrics.sock, --metrics 9740")                //
        ("quiet", "log to the buffer only, not to standard error; e.g. --quiet") //
        ("version", "print the version; e.g. --version")                         //
        ("help", "print this; e.g. --help");
    return description;
}

static ExitWith mistake(const std::string& text) {
    return {2, "adit-control: " + text + "\nTry: adit-control --help\n"};
}

std::variant<Options, ExitWith> parse_options(int argc, const char* const* argv) {
    Options options;
    const po::options_description description = describe(options);
    po::variables_map values;
    try {
        po::store(po::command_line_parser(argc, argv)
                      .options(description)
                      .positional(po::positional_options_description{})
                      .run(),
                  values);
        po::notify(values);
    } catch (const po::error& error) {
        return mistake(error.what());
    }
    if (values.contains("help")) {
        std::ostringstream text;
        text << "adit-control: the IKE daemon and CLI server of Adit.\n\n"
             << description << kExamples;
        return ExitWith{0, text.str()};
    }
    if (values.contains("version"))
        return ExitWith{0, std::string("adit-control ") + kVersion + "\n"};
    options.log_to_stderr = !values.contains("quiet");
    if (values.contains("check")) {
        options.check_only = true;
        options.config_path = values["check"].as<std::string>();
    }
    if (options.config_path.empty())
        return mistake("no configuration: name a file with --config FILE");
    return options;
}

} // namespace adit

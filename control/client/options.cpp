// SPDX-License-Identifier: Apache-2.0
#include "control/client/options.h"

#include <algorithm>
#include <boost/program_options.hpp>
#include <sstream>

namespace adit::client {
namespace {

namespace po = boost::program_options;

po::options_description description(Options& options) {
    po::options_description all{"Options"};
    auto add = all.add_options();
    add("help,h", po::bool_switch(&options.help), "print this text");
    add("version,V", po::bool_switch(&options.version), "print the version");
    add("command,c",
        po::value(&options.commands)->value_name("COMMAND")->composing(),
        "run a command; may be given several times, the first that is refused ends the run:\n"
        "  adit -c 'configure terminal' -c 'hostname gw-a'");
    add("socket,s",
        po::value(&options.socket)->value_name("PATH")->default_value(options.socket),
        "control socket of adit-control:\n  adit --socket /run/gw-b/control.sock show version");
    return all;
}

bool takes_value(const std::string& option) {
    return option == "-c" || option == "--command" || option == "-s" || option == "--socket";
}

/// How many arguments stand before the first word of a command.
std::size_t option_count(const std::vector<std::string>& arguments) {
    std::size_t count = 0;
    while (count < arguments.size() && arguments[count].starts_with('-') &&
           arguments[count] != "--")
        count += takes_value(arguments[count]) ? 2U : 1U;
    return std::min(count, arguments.size());
}

std::string join(const std::vector<std::string>& arguments, std::size_t from) {
    std::string joined;
    for (std::size_t i = from; i < arguments.size(); ++i)
        joined += (joined.empty() ? "" : " ") + arguments[i];
    return joined;
}

/// As a login shell we are run as `adit -c TEXT`, and TEXT may be anything: also what looks like
/// an option of ours.
bool is_login_shell_call(const std::vector<std::string>& arguments) {
    return arguments.size() == 2 && arguments[0] == "-c";
}

} // namespace

std::vector<std::string> split_lines(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream input{text};
    for (std::string line; std::getline(input, line);) {
        if (line.ends_with('\r'))
            line.pop_back();
        lines.push_back(std::move(line));
    }
    return lines;
}

Result<Options> parse_options(const std::vector<std::string>& arguments) {
    Options options;
    if (is_login_shell_call(arguments)) {
        options.commands = split_lines(arguments[1]);
        return options;
    }
    const std::size_t count = option_count(arguments);
    const std::vector<std::string> head{arguments.begin(),
                                        arguments.begin() + static_cast<std::ptrdiff_t>(count)};
    try {
        const po::options_description all = description(options);
        po::variables_map values;
        po::store(po::command_line_parser(head).options(all).run(), values);
        po::notify(values);
    } catch (const po::error& error) {
        return fail(ErrorCode::Invalid, std::string{error.what()} + ". Try: adit --help");
    }
    const bool dashes = count < arguments.size() && arguments[count] == "--";
    const std::string command = join(arguments, dashes ? count + 1 : count);
    if (!command.empty())
        options.commands.push_back(command);
    return options;
}

std::string help_text() {
    Options defaults;
    std::ostringstream text;
    text << "adit: the command line of an Adit gateway\n\n"
            "  adit                                   interactive, with help at every `?`\n"
            "  adit show crypto isakmp sa             one command; exit status 1 if refused\n"
            "  adit -c 'show version' -c 'show clock' several commands in one session\n"
            "  adit < changes.txt                     lines from a file or pipe\n"
            "  adit 'show crypto ?'                   what may stand there\n\n"
            "Exit status: 0, 1 when a command was refused, 2 when adit-control is out of reach.\n\n"
         << description(defaults);
    return text.str();
}

} // namespace adit::client

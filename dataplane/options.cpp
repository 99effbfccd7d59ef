// SPDX-License-Identifier: Apache-2.0
// Boost copies a vector<string> in a way that g++ 12 takes for a null pointer after inlining.
#pragma GCC diagnostic ignored "-Wnull-dereference"

#include "dataplane/options.h"

#include "common/ipc/handshake.h"
#include "common/ipc/layout.h"
#include "common/spi.h"

#include <boost/program_options.hpp>
#include <exception>
#include <set>
#include <sstream>

namespace adit::dataplane {

namespace {

namespace po = boost::program_options;

constexpr std::uint32_t kMinMemoryMb = 64;

po::options_description describe() {
    const ipc::ChannelConfig defaults;
    po::options_description all{"Options", 100, 56};
    auto add = all.add_options();
    add("port",
        po::value<std::vector<std::string>>(),
        "NAME=DEVICE: a port, in the order of the interface numbers; repeat it.\n"
        "A kernel interface through af_packet:\n"
        "  --port GigabitEthernet0/0=net_af_packet0,iface=wan\n"
        "A NIC bound to vfio-pci:\n"
        "  --port GigabitEthernet0/1=0000:03:00.0\n"
        "Either with jumbo frames, up to 9216:\n"
        "  --port GigabitEthernet0/1=0000:03:00.0,mtu=9000");
    add("workers",
        po::value<std::uint32_t>()->default_value(1),
        "threads that forward, 16 at most; with --idle poll, at most one a CPU, and better one CPU "
        "left over.  --workers 3");
    add("socket",
        po::value<std::string>()->default_value(ipc::kDefaultSocketPath),
        "where adit-control connects.  --socket /run/adit/dataplane.sock");
    add("control-user",
        po::value<std::string>()->default_value(""),
        "user that adit-control runs as, besides root.  --control-user adit");
    add("idle",
        po::value<std::string>()->default_value("poll"),
        "poll: idle cores spin, lowest latency; sleep: they sleep up to 0.5 ms, for small boxes.  "
        "--idle sleep");
    add("hugepages",
        po::value<std::string>()->default_value("auto"),
        "on, off, or auto: on when --memory is reserved and free.  --hugepages off");
    add("memory",
        po::value<std::uint32_t>()->default_value(EalConfig{}.memory_mb),
        "MB for packet buffers and rings, 64 at least.  --memory 256");
    add("max-sas",
        po::value<std::uint32_t>()->default_value(defaults.max_sas),
        "SAs per direction and worker.  --max-sas 20000");
    add("max-policies",
        po::value<std::uint32_t>()->default_value(defaults.max_policies),
        "policies (permit and deny lines).  --max-policies 20000");
    add("crypto",
        po::value<std::string>()->default_value("auto"),
        "instruction set: auto, sse, avx2 or avx512.  --crypto avx2");
    add("file-prefix",
        po::value<std::string>()->default_value(EalConfig{}.file_prefix),
        "tells several dataplanes with hugepages apart.  --file-prefix gw-a");
    add("help,h", "this text.  --help");
    add("version,V", "version.  --version");
    return all;
}

template <class T> struct Choice {
    const char* name;
    T value;
};

template <class T, std::size_t N>
Result<T> choose(const char* option, const std::string& text, const Choice<T> (&choices)[N]) {
    std::string names;
    for (const Choice<T>& choice : choices) {
        if (text == choice.name)
            return choice.value;
        names += (names.empty() ? "" : ", ") + std::string(choice.name);
    }
    return fail(ErrorCode::Invalid,
                "--" + std::string(option) + " '" + text + "' is not one of: " + names);
}

Result<std::uint32_t> in_range(const po::variables_map& given,
                               const char* option,
                               std::uint32_t low,
                               std::uint32_t high) {
    const auto value = given[option].as<std::uint32_t>();
    if (value < low || value > high)
        return fail(ErrorCode::Invalid,
                    "--" + std::string(option) + " " + std::to_string(value) + " is not between " +
                        std::to_string(low) + " and " + std::to_string(high));
    return value;
}

Result<std::vector<PortSpec>> ports(const po::variables_map& given) {
    if (given.count("port") == 0)
        return fail(ErrorCode::Invalid,
                    "no --port given; for example --port "
                    "GigabitEthernet0/0=net_af_packet0,iface=wan (see --help)");
    std::vector<PortSpec> specs;
    std::set<std::string> names, devices;
    for (const std::string& text : given["port"].as<std::vector<std::string>>()) {
        PortSpec spec = TRY(PortSpec::parse(text));
        if (!names.insert(spec.name).second)
            return fail(ErrorCode::Invalid, "--port name '" + spec.name + "' is given twice");
        if (!devices.insert(spec.device()).second)
            return fail(ErrorCode::Invalid,
                        "--port device '" + spec.device() +
                            "' is given twice; number them: net_af_packet0, net_af_packet1");
        specs.push_back(std::move(spec));
    }
    if (specs.size() > ipc::kMaxPorts)
        return fail(ErrorCode::Invalid,
                    "more than " + std::to_string(ipc::kMaxPorts) + " ports are not supported");
    return specs;
}

Result<Hugepages> hugepages(const std::string& text, std::uint32_t memory_mb) {
    enum class Wish : std::uint8_t { Auto, Off, On };
    static constexpr Choice<Wish> kWishes[] = {
        {"auto", Wish::Auto}, {"off", Wish::Off}, {"on", Wish::On}};
    const Wish wish = TRY(choose("hugepages", text, kWishes));
    if (wish == Wish::Auto)
        return hugepages_reserved(memory_mb) ? Hugepages::On : Hugepages::Off;
    if (wish == Wish::On && !hugepages_reserved(memory_mb))
        return fail(ErrorCode::Exhausted,
                    "--hugepages on: fewer than " + std::to_string(memory_mb) +
                        " MB are reserved and free; reserve them (sysctl vm.nr_hugepages=" +
                        std::to_string((memory_mb + 1) / 2) + ") or use --hugepages off");
    return wish == Wish::On ? Hugepages::On : Hugepages::Off;
}

Result<Options> interpret(const po::variables_map& given) {
    static constexpr Choice<IdleMode> kIdleModes[] = {{"poll", IdleMode::Poll},
                                                      {"sleep", IdleMode::Sleep}};
    static constexpr Choice<CryptoArch> kArchs[] = {{"auto", CryptoArch::Auto},
                                                    {"sse", CryptoArch::Sse},
                                                    {"avx2", CryptoArch::Avx2},
                                                    {"avx512", CryptoArch::Avx512}};
    Options options;
    options.ports = TRY(ports(given));
    options.eal.workers = TRY(in_range(given, "workers", 1, kMaxWorkers));
    options.eal.memory_mb = TRY(in_range(given, "memory", kMinMemoryMb, 1U << 20));
    options.max_sas = TRY(in_range(given, "max-sas", 1, kMaxSaSlots));
    options.max_policies = TRY(in_range(given, "max-policies", 1, ipc::kMaxPolicies));
    options.eal.idle = TRY(choose("idle", given["idle"].as<std::string>(), kIdleModes));
    options.crypto = TRY(choose("crypto", given["crypto"].as<std::string>(), kArchs));
    options.eal.hugepages =
        TRY(hugepages(given["hugepages"].as<std::string>(), options.eal.memory_mb));
    options.eal.file_prefix = given["file-prefix"].as<std::string>();
    options.socket = given["socket"].as<std::string>();
    options.control_user = given["control-user"].as<std::string>();
    for (const PortSpec& port : options.ports)
        if (port.is_pci())
            options.eal.pci_addresses.push_back(port.devargs);
    return options;
}

} // namespace

Result<Options> parse_options(int argc, const char* const* argv) {
    try {
        po::variables_map given;
        const po::options_description known = describe();
        // No positional arguments: a forgotten "--port" must not pass unnoticed.
        po::store(po::command_line_parser(argc, argv)
                      .options(known)
                      .positional(po::positional_options_description{})
                      .run(),
                  given);
        po::notify(given);
        Options options;
        if (given.count("help") != 0)
            options.action = OptionsAction::ShowHelp;
        else if (given.count("version") != 0)
            options.action = OptionsAction::ShowVersion;
        return options.action == OptionsAction::Run ? interpret(given) : options;
    } catch (const std::exception& error) {
        return fail(ErrorCode::Invalid, std::string(error.what()) + " (see --help)");
    }
}

std::string help_text() {
    std::ostringstream text;
    text << "adit-dataplane --port NAME=DEVICE [--port ...] [options]\n"
            "\n"
            "Forwards IPv4 and does ESP on DPDK ports; adit-control tells it what to do.\n"
            "\n"
         << describe();
    return text.str();
}

} // namespace adit::dataplane

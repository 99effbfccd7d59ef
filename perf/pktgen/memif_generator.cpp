// SPDX-License-Identifier: Apache-2.0
// Question: how many frames a second does a whole appliance carry, from port to port, with SAs that
// IKE negotiated? perf/pktgen/local asks it; this is the traffic around the gateways (generator.h).
//
// Commands come on standard input, one a line, and are answered by one JSON line each; the end of
// the input ends the program.
//
//     links                                   {"connected":true}
//     run LENGTHS TUNNELS RATE SECONDS PATH   {"offered":..,"taken":..,"turns":..,"full_turns":..}
//     arrived                                 {"received":..,"cable_refused":..}
//
// LENGTHS are those of the IP packets, with commas; RATE is in frames a second, 0 for as many as
// the gateway takes; PATH is one (gw-a alone) or both.
#include "perf/pktgen/generator.h"

#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <poll.h>
#include <sstream>
#include <string>
#include <vector>

namespace {

using namespace adit;
using namespace adit::perf;

/// Between two looks at the cable while nothing happens: the core is shared with the gateways'
/// other threads.
constexpr timespec kNap{0, 50'000};
constexpr double kMaxSeconds = 3'600;
/// memif's own bounds (its devarg rsize).
constexpr int kMinRingBits = 1;
constexpr int kMaxRingBits = 14;

Result<Trial> parse_trial(std::istringstream words) {
    Trial trial;
    std::string lengths, path;
    words >> lengths >> trial.tunnels >> trial.frames_per_second >> trial.seconds >> path;
    if (words.fail() || trial.tunnels == 0 || trial.tunnels > kMaxTunnels ||
        trial.frames_per_second < 0 || trial.seconds <= 0 || trial.seconds > kMaxSeconds ||
        (path != "one" && path != "both"))
        return fail(ErrorCode::Invalid, "usage: run LENGTHS TUNNELS RATE SECONDS one|both");
    trial.path = path == "one" ? Path::OneGateway : Path::BothGateways;
    std::istringstream list{lengths};
    for (std::string text; std::getline(list, text, ',');) {
        const int bytes = std::atoi(text.c_str());
        if (bytes < kMinIpBytes || bytes > kMaxIpBytes)
            return fail(ErrorCode::Invalid,
                        "length '" + text + "' is not between " + std::to_string(kMinIpBytes) +
                            " and " + std::to_string(kMaxIpBytes));
        trial.ip_bytes.push_back(static_cast<std::uint16_t>(bytes));
    }
    return trial;
}

using Number = unsigned long long; // what %llu takes

void print(const Sent& sent) {
    std::printf("{\"offered\":%llu,\"taken\":%llu,\"turns\":%llu,\"full_turns\":%llu}\n",
                Number{sent.offered},
                Number{sent.taken},
                Number{sent.turns},
                Number{sent.full_turns});
}

void print(const Arrived& arrived) {
    std::printf("{\"received\":%llu,\"cable_refused\":%llu}\n",
                Number{arrived.received},
                Number{arrived.cable_refused});
}

void obey(const std::string& line, Generator& generator) {
    std::istringstream words{line};
    std::string command;
    words >> command;
    if (command == "links") {
        std::printf("{\"connected\":%s}\n", generator.connected() ? "true" : "false");
    } else if (command == "run") {
        if (const auto trial = parse_trial(std::move(words)))
            print(generator.run(*trial));
        else
            std::printf("{\"error\":\"%s\"}\n", trial.error().text.c_str());
    } else if (command == "arrived") {
        print(generator.arrived());
    } else {
        std::printf("{\"error\":\"no such command\"}\n");
    }
    std::fflush(stdout);
}

/// Until the input ends.
void serve(Generator& generator) {
    pollfd input{0, POLLIN, 0};
    for (std::string line;;) {
        const timespec no_time{0, 0};
        const bool busy = generator.idle_turn();
        if (ppoll(&input, 1, busy ? &no_time : &kNap, nullptr) <= 0)
            continue;
        if (!std::getline(std::cin, line))
            return;
        obey(line, generator);
    }
}

/// SOCKET-A SOCKET-B GATEWAY-MAC RING-BITS [hugepages]
Result<GeneratorConfig> parse_arguments(const std::vector<std::string>& given) {
    constexpr const char* kUsage =
        "usage: memif-generator SOCKET-A SOCKET-B GATEWAY-MAC RING-BITS [hugepages]; "
        "perf/pktgen/local starts it";
    if (given.size() < 4 || given.size() > 5 || (given.size() == 5 && given[4] != "hugepages"))
        return fail(ErrorCode::Invalid, kUsage);
    const Bytes mac = TRY(from_hex(given[2]));
    GeneratorConfig config{.socket_a = given[0],
                           .socket_b = given[1],
                           .gateway = {},
                           .ring_bits = std::atoi(given[3].c_str()),
                           .hugepages = given.size() == 5 ? dataplane::Hugepages::On
                                                          : dataplane::Hugepages::Off};
    if (mac.size() != config.gateway.octets.size() || config.ring_bits < kMinRingBits ||
        config.ring_bits > kMaxRingBits)
        return fail(ErrorCode::Invalid, kUsage);
    config.gateway = wire::MacAddress::load(mac.data());
    return config;
}

int complain(const Error& error) {
    std::fprintf(stderr, "memif-generator: %s\n", error.text.c_str());
    return 1;
}

} // namespace

int main(int argc, char** argv) {
    const auto config = parse_arguments({argv + 1, argv + argc});
    if (!config)
        return complain(config.error());
    auto generator = Generator::open(*config);
    if (!generator)
        return complain(generator.error());
    serve(*generator);
    return 0;
}

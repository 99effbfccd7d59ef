// SPDX-License-Identifier: Apache-2.0
// What benchmarks of whole workers are told alike, and how they refuse what they do not understand.
#pragma once

#include "dataplane/eal.h"
#include "perf/harness.h"
#include "perf/loads.h"
#include "perf/topology.h"

#include <boost/program_options.hpp>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>

namespace adit::perf {

class CommandLine {
  public:
    explicit CommandLine(const char* program) : program_(program), known_(program) {
        auto add = known_.add_options();
        add("suite", text(suite_)->default_value("aes128-gcm"), "as in topology.h");
        add("direction", text(direction_)->default_value("out"), "of the traffic: out or in");
        add("memory", number(memory_mb)->default_value(64), "MB for packets");
        add("no-huge", "ordinary pages");
        add("help", "this text");
    }

    /// For options of the benchmark's own.
    auto add_options() { return known_.add_options(); }

    /// Ends the process with a message, or with the help when that is asked for.
    void parse(int argc, char** argv) {
        namespace po = boost::program_options;
        try {
            po::variables_map given;
            po::store(po::command_line_parser(argc, argv).options(known_).run(), given);
            po::notify(given);
            if (given.count("help") != 0) {
                std::cout << known_;
                std::exit(0);
            }
            if (given.count("no-huge") != 0)
                hugepages = dataplane::Hugepages::Off;
        } catch (const std::exception& error) {
            refuse(error.what());
        }
        const Suite* found = find_suite(suite_);
        if (found == nullptr)
            refuse("there is no suite '" + suite_ + "'");
        if (direction_ != "out" && direction_ != "in")
            refuse("--direction is out or in");
        suite = *found;
        flow = direction_ == "out" ? Flow::Out : Flow::In;
    }

    [[noreturn]] void refuse(const std::string& why) const {
        std::fprintf(stderr, "%s: %s\n", program_, why.c_str());
        std::exit(2);
    }

    [[nodiscard]] Load load(const std::string& name) const {
        const auto found = find_load(name);
        if (!found)
            refuse("'" + name + "' is no load: imix, or 64 to 1400 octets");
        return *found;
    }

    // After parse().
    Suite suite{};
    Flow flow{};
    std::uint32_t memory_mb{};
    dataplane::Hugepages hugepages{dataplane::Hugepages::On};

  private:
    static boost::program_options::typed_value<std::string>* text(std::string& to) {
        return boost::program_options::value(&to);
    }

    static boost::program_options::typed_value<std::uint32_t>* number(std::uint32_t& to) {
        return boost::program_options::value(&to);
    }

    const char* program_;
    boost::program_options::options_description known_;
    std::string suite_, direction_;
};

/// Pins the calling thread first: DPDK takes the CPUs that it may use from it.
inline dataplane::Eal start_eal(const char* program,
                                unsigned core,
                                dataplane::Hugepages hugepages,
                                std::uint32_t memory_mb) {
    if (!pin_to_core(core))
        die("there is no core " + std::to_string(core));
    return must(dataplane::Eal::start({.file_prefix = program,
                                       .hugepages = hugepages,
                                       .memory_mb = memory_mb,
                                       .workers = 0,
                                       .pci_addresses = {}}));
}

} // namespace adit::perf

// SPDX-License-Identifier: Apache-2.0
#include "dataplane/options.h"

#include <gtest/gtest.h>

namespace adit::dataplane {
namespace {

Result<Options> parse(const std::vector<const char*>& arguments) {
    std::vector<const char*> words{"adit-dataplane"};
    for (const char* argument : arguments)
        words.push_back(argument);
    return parse_options(static_cast<int>(words.size()), words.data());
}

std::string complaint(const std::vector<const char*>& words) {
    const auto options = parse(words);
    return options ? "none" : options.error().text;
}

constexpr const char* kPort = "GigabitEthernet0/0=net_af_packet0,iface=wan";

TEST(Options, ReadsPortsInOrder) {
    const auto options =
        parse({"--port", kPort, "--port", "Gi0/1=0000:03:00.0", "--idle", "sleep"});
    ASSERT_TRUE(options.has_value());
    ASSERT_EQ(options->ports.size(), 2U);
    EXPECT_EQ(options->ports[0].name, "GigabitEthernet0/0");
    EXPECT_EQ(options->ports[0].device(), "net_af_packet0");
    EXPECT_EQ(options->ports[0].kernel_interface(), "wan");
    EXPECT_FALSE(options->ports[0].is_pci());
    EXPECT_TRUE(options->ports[1].is_pci());
    EXPECT_EQ(options->eal.pci_addresses, std::vector<std::string>{"0000:03:00.0"});
    EXPECT_EQ(options->eal.idle, IdleMode::Sleep);
}

TEST(Options, NamesWhatIsWrong) {
    EXPECT_NE(complaint({}).find("no --port given"), std::string::npos);
    EXPECT_NE(complaint({"--port", "wan"}).find("'wan' is not NAME=DEVICE"), std::string::npos);
    EXPECT_NE(complaint({"--port", kPort, "--port", kPort}).find("given twice"), std::string::npos);
    for (const char* workers : {"0", "17"})
        EXPECT_NE(complaint({"--port", kPort, "--workers", workers}).find("between 1 and 16"),
                  std::string::npos);
    EXPECT_NE(complaint({"--port", kPort, "--idle", "doze"}).find("poll, sleep"),
              std::string::npos);
    EXPECT_NE(complaint({"--port", kPort, "--crypto", "x"}).find("avx512"), std::string::npos);
    EXPECT_NE(complaint({"--port", kPort, "--memory", "1"}).find("--memory 1"), std::string::npos);
    EXPECT_NE(complaint({"--port", kPort, "--frob"}).find("frob"), std::string::npos);
    EXPECT_NE(complaint({"--port", kPort, "extra"}), "none");
}

TEST(Options, HelpShowsAnExampleForEachOption) {
    const std::string help = help_text();
    for (const char* option : {"port",
                               "workers",
                               "socket",
                               "control-user",
                               "idle",
                               "hugepages",
                               "memory",
                               "max-sas",
                               "max-policies",
                               "crypto",
                               "file-prefix"})
        EXPECT_NE(help.find("--" + std::string(option) + " ", help.find("Options")),
                  std::string::npos)
            << option;
    EXPECT_EQ(parse({"--help"})->action, OptionsAction::ShowHelp);
    EXPECT_EQ(parse({"--version"})->action, OptionsAction::ShowVersion);
}

TEST(EalArguments, PinPollersAndLetSleepersFloat) {
    EalConfig config;
    const auto has = [&](const char* word) {
        const auto words = eal_arguments(config, {2, 3});
        return std::find(words.begin(), words.end(), word) != words.end();
    };
    EXPECT_TRUE(has("--lcores=0@2,1@3"));
    EXPECT_TRUE(has("--no-huge"));
    EXPECT_TRUE(has("--no-pci"));
    config.idle = IdleMode::Sleep;
    EXPECT_TRUE(has("--lcores=0@(2,3),1@(2,3)"));
    config.pci_addresses = {"0000:03:00.0"};
    EXPECT_FALSE(has("--no-pci"));
}

} // namespace
} // namespace adit::dataplane

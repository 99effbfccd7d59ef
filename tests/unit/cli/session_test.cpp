// SPDX-License-Identifier: Apache-2.0
// One operator's session as a dialogue.
#include "control/cli/session.h"
#include "control/cli/session_handler.h"
#include "tests/unit/cli/fake_host.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace adit::cli {

namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

class SessionTest : public ::testing::Test {
  protected:
    std::string type(const std::string& line) { return session.execute(line); }

    void type_all(std::initializer_list<const char*> lines) {
        for (const char* line : lines)
            EXPECT_EQ(type(line), "") << line;
    }

    test::FakeHost host;
    Session session{host, {.user = "admin"}};
};

TEST_F(SessionTest, PromptFollowsTheMode) {
    EXPECT_EQ(session.prompt(), "gw-a#");
    EXPECT_EQ(type("conf t"), "Enter configuration commands, one per line.  End with CNTL/Z.\n");
    EXPECT_EQ(session.prompt(), "gw-a(config)#");
    const std::pair<const char*, const char*> modes[] = {
        {"crypto isakmp policy 10", "gw-a(config-isakmp)#"},
        {"crypto ipsec transform-set TS-A esp-gcm", "gw-a(cfg-crypto-trans)#"},
        {"crypto map VPNMAP 10", "gw-a(config-crypto-map)#"},
        {"ip access-list extended X", "gw-a(config-ext-nacl)#"},
        {"interface gi 0/0", "gw-a(config-if)#"},
    };
    for (const auto& [line, prompt] : modes) {
        EXPECT_EQ(type(line), "");
        EXPECT_EQ(session.prompt(), prompt);
    }
    type("exit");
    EXPECT_EQ(session.prompt(), "gw-a(config)#");
    type("exit");
    EXPECT_EQ(session.prompt(), "gw-a#");
}

TEST_F(SessionTest, LongNamesAreCutInConfigurationPrompts) {
    type("configure terminal");
    type_all({"hostname a-name-of-more-than-twenty-letters", "end"});
    EXPECT_EQ(session.prompt(), "a-name-of-more-than-twenty-letters#");
    type("configure terminal");
    EXPECT_EQ(session.prompt(), "a-name-of-more-than-(config)#");
}

TEST_F(SessionTest, MarkerStandsBehindThePrompt) {
    EXPECT_EQ(type("show foo"),
              "          ^\n"
              "% Invalid input detected at '^' marker.\n\n");
    EXPECT_TRUE(session.failed());
    type("conf t");
    EXPECT_EQ(type("hostnam"), "% Incomplete command.\n\n");
    EXPECT_EQ(type("yyy"),
              "             ^\n"
              "% Invalid input detected at '^' marker.\n\n");
    EXPECT_EQ(session.prompt(), "gw-a(config)#");
}

TEST_F(SessionTest, OneShotRepeatsTheLineAboveTheMarker) {
    Session one_shot{host, {.user = "admin", .interactive = false}};
    EXPECT_EQ(one_shot.execute("show foo"),
              "show foo\n     ^\n% Invalid input detected at '^' marker.\n\n");
}

TEST_F(SessionTest, AmbiguousAndIncompleteInTheRoutersWords) {
    EXPECT_EQ(type("s"), "% Incomplete command.\n\n") << "show is the only word with s";
    EXPECT_EQ(type("te"), "% Ambiguous command:  \"te\"\n");
    EXPECT_EQ(type("show crypto"), "% Incomplete command.\n\n");
    EXPECT_EQ(type("   "), "");
    EXPECT_FALSE(session.failed());
}

TEST_F(SessionTest, ShowsWithAbbreviations) {
    EXPECT_THAT(type("sh cry isa sa"), StartsWith("IPv4 Crypto ISAKMP SA\n"));
    EXPECT_THAT(type("sh cry ips sa peer 192.0.2.20 det"), HasSubstr("replay window size"));
    EXPECT_THAT(type("sh run"), HasSubstr("crypto isakmp key <hidden> address 192.0.2.20\n"));
    EXPECT_THAT(type("sh run int gi0/0"), HasSubstr("interface GigabitEthernet0/0\n"));
    EXPECT_EQ(type("show privilege"), "Current privilege level is 15\n");
}

TEST_F(SessionTest, SecretsAreShownOnRequestAndLogged) {
    EXPECT_THAT(type("show running-config"), Not(HasSubstr("swordfish")));
    EXPECT_THAT(type("show running-config secrets"), HasSubstr("swordfish"));
    EXPECT_THAT(host.logged, ElementsAre(HasSubstr("SECRETS_SHOWN: admin")));
}

TEST_F(SessionTest, PipesFilterAndKeepTheirPattern) {
    EXPECT_EQ(type("show run | i ^hostname"), "hostname gw-a\n");
    EXPECT_EQ(type("sh cry isa sa | count ACTIVE"), "Number of lines which match regexp = 1\n");
    EXPECT_EQ(type("show run | include ^hostname|^end"), "hostname gw-a\nend\n");
    EXPECT_EQ(type("show clock |"), "% Incomplete command.\n\n");
    EXPECT_EQ(type("show clock | foo x"),
              std::string(5 + 13, ' ') + "^\n% Invalid input detected at '^' marker.\n\n");
    EXPECT_EQ(type("show clock | include ("), "% The pattern is not a regular expression\n");
    EXPECT_THAT(type("| include x"), HasSubstr("Invalid input"));
}

TEST_F(SessionTest, ConfigurationTakesEffectWhenTheBlockIsLeft) {
    type("configure terminal");
    type_all({"interface gi0/1", "ip address 10.1.0.1 255.255.0.0"});
    EXPECT_FALSE(host.running->interfaces.contains("GigabitEthernet0/1"));
    type("end");
    EXPECT_TRUE(host.running->interfaces.contains("GigabitEthernet0/1"));
    EXPECT_THAT(host.asked, ElementsAre("apply"));
    EXPECT_THAT(host.logged,
                ElementsAre("%SYS-5-CONFIG_I: Configured from console by admin on vty0"));
}

TEST_F(SessionTest, NothingIsAppliedWhenNothingWasTyped) {
    type("conf t");
    type("end");
    EXPECT_THAT(host.asked, IsEmpty());
}

TEST_F(SessionTest, LinesOfTwoOperatorsBothCount) {
    Session other{host, {.user = "second"}};
    type("conf t");
    type_all({"hostname first"});
    other.execute("conf t");
    other.execute("crypto logging session");
    other.execute("end");
    type("end");
    EXPECT_EQ(host.running->hostname, "first");
    EXPECT_TRUE(host.running->logging_session);
}

TEST_F(SessionTest, ErrorsLeaveModeAndConfigurationUntouched) {
    type("conf t");
    type("interface gi0/0");
    EXPECT_EQ(type("ip access-group 101 in"),
              "% Packet filters are not supported; what they keep out would come in\n");
    EXPECT_EQ(session.prompt(), "gw-a(config-if)#");
    EXPECT_THAT(type("crypto gdoi group G"), HasSubstr("% GDOI is not supported"));
    EXPECT_EQ(session.prompt(), "gw-a(config-if)#");
    type("end");
    EXPECT_THAT(host.running->interfaces, ::testing::SizeIs(1));
}

TEST_F(SessionTest, RefusedBlockChangesNothing) {
    host.refuse_config = true;
    type("conf t");
    type("hostname other");
    EXPECT_EQ(type("end"), "% The configuration was not changed: the data plane refused it\n");
    EXPECT_EQ(session.prompt(), "gw-a#");
}

TEST_F(SessionTest, GlobalLinesWorkFromBelow) {
    type("conf t");
    type_all({"interface gi0/1", "no ip address", "hostname below", "end"});
    EXPECT_EQ(session.prompt(), "below#");
}

TEST_F(SessionTest, NewMapEntryIsNoted) {
    type("conf t");
    EXPECT_EQ(type("crypto map VPNMAP 20 ipsec-isakmp"),
              "% NOTE: This new crypto map will remain disabled until a peer\n"
              "        and a valid access list have been configured.\n");
    EXPECT_EQ(type("crypto map VPNMAP 20 ipsec-isakmp"), "");
    EXPECT_THAT(type("end"), HasSubstr("VPNMAP 20 is incomplete"));
}

TEST_F(SessionTest, DoRunsExecCommands) {
    type("conf t");
    EXPECT_EQ(type("do show run | include ^hostname"), "hostname gw-a\n");
    EXPECT_EQ(type("do show foo"),
              std::string(13 + 8, ' ') + "^\n% Invalid input detected at '^' marker.\n\n");
    EXPECT_EQ(session.prompt(), "gw-a(config)#");
}

TEST_F(SessionTest, InterruptLeavesConfiguration) {
    type("conf t");
    type_all({"hostname kept", "interface gi0/0"});
    session.interrupt();
    EXPECT_EQ(session.prompt(), "kept#");
}

TEST_F(SessionTest, ClearTestAndDebugReachTheHost) {
    type_all({"clear crypto sa",
              "clear crypto sa peer 192.0.2.20",
              "clear crypto sa counters",
              "clear crypto isakmp 1003",
              "clear counters",
              "clear ip arp"});
    EXPECT_EQ(type("test crypto peer 192.0.2.20 initiate"),
              "Negotiation started with 192.0.2.20\n");
    EXPECT_EQ(type("test crypto peer 192.0.2.9 init"),
              "% No crypto map names the peer 192.0.2.9\n");
    EXPECT_EQ(type("deb cry isa"), "Crypto ISAKMP debugging is on\n");
    EXPECT_TRUE(session.monitoring());
    EXPECT_EQ(type("no debug crypto isakmp"), "Crypto ISAKMP debugging is off\n");
    EXPECT_EQ(type("debug crypto isakmp keys /tmp/k"), "Session keys are written to /tmp/k\n");
    EXPECT_EQ(type("undebug all"), "All possible debugging has been turned off\n");
    EXPECT_THAT(host.asked,
                ElementsAre("clear sa",
                            "clear sa 192.0.2.20",
                            "clear sa counters",
                            "clear isakmp 1003",
                            "clear counters",
                            "clear arp",
                            "initiate 192.0.2.20",
                            "debug isakmp on",
                            "debug isakmp off",
                            "keys /tmp/k",
                            "debug isakmp off",
                            "debug ipsec off",
                            "keys off"));
    EXPECT_THAT(host.logged, ElementsAre(HasSubstr("admin writes session keys to /tmp/k")));
}

TEST_F(SessionTest, DebuggingIsNarrowedDownByPeerCookieAndSpi) {
    type_all({"debug crypto condition peer ipv4 192.0.2.20",
              "debug crypto condition isakmp cookie 0x0123456789abcdef",
              "debug crypto condition isakmp cookie FEDCBA9876543210",
              "debug crypto condition spi 0xC0FFEE"});
    EXPECT_EQ(host.condition,
              (ike::DebugCondition{{Ipv4Address{192, 0, 2, 20}},
                                   {Cookie{0x0123456789abcdef}, Cookie{0xfedcba9876543210}},
                                   {Spi{0xc0ffee}}}));
    type_all({"no debug crypto condition peer ipv4 192.0.2.20",
              "undebug crypto condition isakmp cookie fedcba9876543210"});
    EXPECT_EQ(host.condition,
              (ike::DebugCondition{{}, {Cookie{0x0123456789abcdef}}, {Spi{0xc0ffee}}}));
    type_all({"debug crypto condition reset"});
    EXPECT_TRUE(host.condition.empty());
}

TEST_F(SessionTest, ConditionThatIsNoNumberIsNamed) {
    for (const char* wrong : {"0x", "12345678901234567", "-1", "12g4"})
        EXPECT_THAT(type(std::string{"debug crypto condition isakmp cookie "} + wrong),
                    HasSubstr("'" + std::string{wrong} + "' is no cookie"));
    EXPECT_THAT(type("debug crypto condition spi 123456789"), HasSubstr("'123456789' is no SPI"));
    EXPECT_TRUE(host.condition.empty());
}

TEST_F(SessionTest, TerminalSettingsAreSilent) {
    type_all({"terminal length 0", "terminal width 511", "terminal monitor"});
    EXPECT_EQ(session.terminal_length(), 0U);
    EXPECT_EQ(session.terminal_width(), 511U);
    EXPECT_TRUE(session.monitoring());
    type_all({"terminal no monitor"});
    EXPECT_FALSE(session.monitoring());
}

TEST_F(SessionTest, SavesInTheRoutersWords) {
    for (const char* line : {"write memory", "wr", "wr mem"})
        EXPECT_EQ(type(line), "Building configuration...\n[OK]\n") << line;
}

TEST_F(SessionTest, PrivilegedWordsDoNotExistForUsers) {
    Session user{host, {.privilege = Privilege::User, .max_privilege = Privilege::User}};
    EXPECT_EQ(user.prompt(), "gw-a>");
    EXPECT_THAT(user.execute("configure terminal"), HasSubstr("% Invalid input detected"));
    EXPECT_THAT(user.execute("show running-config"), HasSubstr("% Invalid input detected"));
    EXPECT_THAT(user.question(""), Not(HasSubstr("configure")));
    EXPECT_THAT(user.execute("enable"), StartsWith("% Access denied"));
    EXPECT_EQ(user.prompt(), "gw-a>");
    EXPECT_THAT(user.execute("show clock"), Not(IsEmpty()));
}

TEST_F(SessionTest, AUserOfLowPrivilegeMayOnlyLook) {
    config::Config config = *host.running;
    config.users["noc"].privilege = 1;
    config.users["vpn-client"];
    host.running = std::make_shared<const config::Config>(std::move(config));
    const auto prompt = [&](const Caller& caller) {
        return SessionHandler{host, caller, [](const std::string&) {}}.prompt();
    };
    EXPECT_EQ(prompt({.user = "noc", .uid = 1000, .privilege = 15}), "gw-a>");
    EXPECT_EQ(prompt({.user = "ops", .uid = 1000, .privilege = 15}), "gw-a#");
    EXPECT_EQ(prompt({.user = "vpn-client", .uid = 1000, .privilege = 15}), "gw-a#");
    EXPECT_EQ(prompt({.user = "noc", .uid = 0, .privilege = 15}), "gw-a#") << "root acting for noc";
    EXPECT_EQ(prompt({.user = "ops", .uid = 1000, .privilege = 1}), "gw-a>");
}

TEST_F(SessionTest, ANewNameShowsAtOnce) {
    type("configure terminal");
    type("hostname other");
    EXPECT_EQ(session.prompt(), "other(config)#");
    EXPECT_EQ(host.running->hostname, "gw-a") << "not before the block is complete";
}

TEST_F(SessionTest, ClearsSessionsAndTheLog) {
    type_all({"clear crypto session", "clear crypto session remote 192.0.2.20", "clear logging"});
    EXPECT_THAT(host.asked, ElementsAre("clear session", "clear session 192.0.2.20", "clear log"));
}

TEST_F(SessionTest, EnableAndDisable) {
    type_all({"disable"});
    EXPECT_EQ(session.prompt(), "gw-a>");
    type_all({"enable"});
    EXPECT_EQ(session.prompt(), "gw-a#");
}

TEST_F(SessionTest, ClosesOnEveryWord) {
    for (const char* word : {"exit", "quit", "logout"}) {
        Session one{host, {}};
        one.execute(word);
        EXPECT_TRUE(one.closed()) << word;
    }
}

TEST_F(SessionTest, QuestionMarkListsWordsWithHelp) {
    EXPECT_EQ(session.question("show crypto isakmp sa "),
              "  active           Active ones\n"
              "  count            Number of them\n"
              "  detail           In detail\n"
              "  json             For programs: one JSON object with a named schema\n"
              "  standby          Those that another box holds ready\n"
              "  <cr>\n");
    EXPECT_EQ(session.question("te"), "terminal  test\n");
    EXPECT_EQ(session.question("show foo "), "% Unrecognized command\n");
    EXPECT_EQ(session.question("te "), "% Ambiguous command:  \"te \"\n");
    EXPECT_THAT(session.question("show running-config "), HasSubstr("  all  "));
    EXPECT_THAT(session.question("show run | "), HasSubstr("  include  "));
    EXPECT_THAT(session.question("show run | i "), HasSubstr("Regular Expression"));
    type("conf t");
    EXPECT_THAT(session.question(""), HasSubstr("  hostname "));
    EXPECT_THAT(session.question("do show ip "), HasSubstr("  route "));
    type("interface gi0/0");
    EXPECT_THAT(session.question(""), Not(HasSubstr("hostname")));
    EXPECT_THAT(session.question("crypto isakmp "), HasSubstr("  policy "));
}

TEST_F(SessionTest, TabCompletes) {
    EXPECT_EQ(session.complete("sh"), "show ");
    EXPECT_EQ(session.complete("show run"), "show running-config ");
    EXPECT_EQ(session.complete("te"), "te");
    type("conf t");
    EXPECT_EQ(session.complete("hostn"), "hostname ");
    EXPECT_EQ(session.complete("do sh"), "do show ");
    type("interface gi0/0");
    EXPECT_EQ(session.complete("shut"), "shutdown ");
    EXPECT_EQ(session.complete("hostn"), "hostname ");
}

TEST_F(SessionTest, ProblemsAreListed) {
    EXPECT_EQ(type("show configuration problems"), "The configuration has no problems\n");
    host.found = {{12, 3, config::ProblemSeverity::Ignored, "ip x", "it is off", ""}};
    EXPECT_EQ(type("sh conf prob"), "line 12, column 3: ignored: it is off ('ip x')\n");
}

} // namespace

} // namespace adit::cli

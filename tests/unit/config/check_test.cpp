// SPDX-License-Identifier: Apache-2.0
// What does not fit together is named, with the line that says it.
#include "control/config/check.h"
#include "control/config/parse.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace adit::config {

namespace {

std::string changed(std::string text, const std::string& without, const std::string& instead) {
    if (const std::size_t at = text.find(without); !without.empty() && at != std::string::npos)
        text.replace(at, without.size(), instead);
    return text;
}

/// A configuration that holds together; each test takes one thing away.
std::string sound(const std::string& without = {}, const std::string& instead = {}) {
    std::string text = "crypto isakmp policy 10\n"
                       " encr aes\n"
                       " authentication pre-share\n"
                       " group 14\n"
                       "crypto isakmp key k address 192.0.2.20\n"
                       "crypto ipsec transform-set TS esp-gcm 256\n"
                       "crypto map M 10 ipsec-isakmp\n"
                       " set peer 192.0.2.20\n"
                       " set transform-set TS\n"
                       " match address 110\n"
                       "interface GigabitEthernet0/0\n"
                       " ip address 192.0.2.1 255.255.255.0\n"
                       " crypto map M\n"
                       "access-list 110 permit ip 10.1.0.0 0.0.255.255 10.2.0.0 0.0.255.255\n";
    return changed(std::move(text), without, instead);
}

/// The only problem there is; empty text when there is none or more than one.
Problem only(const std::string& text) {
    const auto problems = parse_config(text).problems;
    for (const Problem& problem : problems)
        SCOPED_TRACE(to_string(problem));
    EXPECT_EQ(problems.size(), 1U);
    return problems.empty() ? Problem{} : problems[0];
}

void expect_error(const std::string& text, unsigned line, const std::string& message) {
    const Problem problem = only(text);
    EXPECT_EQ(problem.severity, ProblemSeverity::Error) << to_string(problem);
    EXPECT_EQ(problem.line, line) << to_string(problem);
    EXPECT_THAT(problem.message, ::testing::HasSubstr(message));
}

TEST(Check, HasNothingToSayAboutASoundConfiguration) {
    for (const Problem& problem : parse_config(sound()).problems)
        ADD_FAILURE() << to_string(problem);
}

TEST(Check, MissesEachPartOfAnEntry) {
    expect_error(sound(" set peer 192.0.2.20\n"), 7, "no peer");
    expect_error(sound(" set transform-set TS\n"), 7, "no transform set");
    expect_error(sound(" match address 110\n"), 7, "what is protected");
    expect_error(sound("crypto isakmp key k address 192.0.2.20\n"), 7, "no pre-shared key");
    expect_error(sound("crypto ipsec transform-set TS esp-gcm 256\n"), 8, "no transform set TS");
    expect_error(sound("access-list 110 permit ip 10.1.0.0 0.0.255.255 10.2.0.0 0.0.255.255\n"),
                 10,
                 "no access list 110");
    expect_error(sound("permit ip 10.1.0.0", "deny ip 10.1.0.0"), 10, "permits nothing");
}

/// The sound one, for peers whose address is not known.
std::string dynamic(const std::string& without = {}, const std::string& instead = {}) {
    std::string text = "crypto isakmp policy 10\n"
                       " encr aes\n"
                       " authentication pre-share\n"
                       " group 14\n"
                       "crypto isakmp key k address 0.0.0.0 0.0.0.0\n"
                       "crypto ipsec transform-set TS esp-gcm 256\n"
                       "crypto dynamic-map D 10\n"
                       " set transform-set TS\n"
                       " match address 110\n"
                       "crypto map M 65535 ipsec-isakmp dynamic D\n"
                       "interface GigabitEthernet0/0\n"
                       " ip address 192.0.2.1 255.255.255.0\n"
                       " crypto map M\n"
                       "access-list 110 permit ip 10.1.0.0 0.0.255.255 10.2.0.0 0.0.255.255\n";
    return changed(std::move(text), without, instead);
}

TEST(Check, HasNothingToSayAboutASoundDynamicMap) {
    for (const Problem& problem : parse_config(dynamic()).problems)
        ADD_FAILURE() << to_string(problem);
}

TEST(Check, MissesThePartsOfADynamicMap) {
    expect_error(dynamic(" set transform-set TS\n"), 7, "no transform set");
    expect_error(dynamic("access-list 110 permit ip 10.1.0.0 0.0.255.255 10.2.0.0 0.0.255.255\n"),
                 9,
                 "no access list 110");
    expect_error(dynamic("crypto dynamic-map D 10\n set transform-set TS\n match address 110\n"),
                 7,
                 "no crypto dynamic-map D");
}

TEST(Check, WarnsOfDynamicMapsThatGiveAnythingOrComeTooEarly) {
    const Problem open = only(dynamic(" match address 110\n"));
    EXPECT_EQ(open.severity, ProblemSeverity::Warning);
    EXPECT_THAT(open.message, ::testing::HasSubstr("no access list"));
    const std::string anybody = "crypto isakmp key k address 0.0.0.0 0.0.0.0\n";
    const Problem unused = only(sound() + anybody +
                                "crypto dynamic-map D 10\n"
                                " set transform-set TS\n"
                                " match address 110\n");
    EXPECT_THAT(unused.message, ::testing::HasSubstr("belongs to no crypto map"));
    const Problem early = only(sound() + anybody +
                               "crypto dynamic-map D 10\n"
                               " set transform-set TS\n"
                               " match address 110\n"
                               "crypto map M 5 ipsec-isakmp dynamic D\n");
    EXPECT_EQ(early.severity, ProblemSeverity::Warning);
    EXPECT_THAT(early.message, ::testing::HasSubstr("before entry 10"));
    const Problem closed = only(dynamic("k address 0.0.0.0 0.0.0.0", "k address 192.0.2.20"));
    EXPECT_EQ(closed.severity, ProblemSeverity::Warning);
    EXPECT_THAT(closed.message, ::testing::HasSubstr("each pre-shared key is for one"));
}

TEST(Check, MissesTheMapAndTheAddressOfAnInterface) {
    const auto unknown = parse_config(sound("crypto map M\n", "crypto map N\n")).problems;
    ASSERT_EQ(unknown.size(), 2U) << "and M is applied nowhere";
    EXPECT_THAT(unknown[0].message, ::testing::HasSubstr("no crypto map N"));
    EXPECT_EQ(unknown[0].line, 13U);
    const auto problems = parse_config(sound(" ip address 192.0.2.1 255.255.255.0\n")).problems;
    ASSERT_FALSE(problems.empty());
    EXPECT_THAT(problems[0].message, ::testing::HasSubstr("has no address"));
    EXPECT_EQ(problems[0].line, 12U);
}

constexpr const char* kPolicy = "crypto isakmp policy 10\n"
                                " encr aes\n"
                                " authentication pre-share\n"
                                " group 14\n";

TEST(Check, IsContentWithTheBuiltInPolicies) {
    for (const Problem& problem : parse_config(sound(kPolicy)).problems)
        ADD_FAILURE() << to_string(problem);
}

TEST(Check, MissesAPhase1PolicyWhenTheBuiltInOnesAreSwitchedOff) {
    const Problem problem = only(sound(kPolicy, "no crypto isakmp default policy\n"));
    EXPECT_EQ(problem.severity, ProblemSeverity::Error);
    EXPECT_THAT(problem.message, ::testing::HasSubstr("no crypto isakmp policy"));
    EXPECT_FALSE(problem.remedy.empty());
    EXPECT_TRUE(parse_config(sound() + "no crypto isakmp default policy\n").problems.empty())
        << "one is written";
}

/// Built-in policies for certificates are for those who have some.
TEST(Check, MissesAKeyUnderBuiltInPoliciesUnlessThereIsACertificate) {
    const std::string text =
        changed(sound(kPolicy), "crypto isakmp key k address 192.0.2.20\n", "");
    EXPECT_THAT(only(text).message, ::testing::HasSubstr("no pre-shared key"));
    const auto problems = parse_config(text + "crypto pki trustpoint T\n"
                                              " ca-file /etc/adit/ca.pem\n"
                                              " certificate-file /etc/adit/own.pem\n"
                                              " key-file /etc/adit/own.key\n"
                                              " revocation-check none\n")
                              .problems;
    EXPECT_TRUE(problems.empty()) << to_string(problems.at(0));
}

TEST(Check, RefusesRulesThatAreNoProxyIdentity) {
    expect_error(sound("10.1.0.0 0.0.255.255", "10.1.0.0 0.0.255.0"), 14, "has holes");
    expect_error(sound("ip 10.1.0.0 0.0.255.255 10.2.0.0 0.0.255.255", "tcp any range 80 90 any"),
                 14,
                 "range of ports");
    EXPECT_TRUE(parse_config(sound("ip 10.1.0.0 0.0.255.255", "tcp any eq www")).ok());
}

TEST(Check, TakesDenyLinesWithoutIdentity) {
    EXPECT_TRUE(parse_config(sound() + "access-list 110 deny tcp any range 1 2 any\n").ok());
}

TEST(Check, OnlyWarnsAboutAnEntryThatIsNotInUse) {
    const auto result =
        parse_config("crypto map N 10 ipsec-isakmp\ncrypto isakmp policy 1\n encr aes\n"
                     " authentication pre-share\n group 14\n");
    EXPECT_TRUE(result.ok());
    EXPECT_EQ(result.problems.size(), 4U);
}

TEST(Check, FindsNetworksThatOverlap) {
    expect_error(sound() +
                     "interface GigabitEthernet0/1\n ip address 192.0.2.129 255.255.255.128\n",
                 16,
                 "overlaps");
    EXPECT_TRUE(
        parse_config(sound() + "interface gi0/1\n ip address 192.0.3.1 255.255.255.0\n").ok());
}

TEST(Check, FindsRoutesThatLeadNowhere) {
    expect_error(sound() + "ip route 10.2.0.0 255.255.0.0 192.0.2.1\n", 15, "our own address");
    expect_error(sound() + "ip route 10.2.0.0 255.255.0.0 gi0/7 192.0.2.3\n", 15, "no interface");
    EXPECT_EQ(only(sound() + "ip route 10.2.0.0 255.255.0.0 198.51.100.1\n").severity,
              ProblemSeverity::Warning);
    EXPECT_EQ(only(sound() + "ip route 10.2.0.0 255.255.0.0 192.0.2.2\n"
                             "ip route 10.2.0.0 255.255.0.0 192.0.2.3\n")
                  .severity,
              ProblemSeverity::Warning);
}

TEST(Check, WarnsAboutWeakGroupsAndHashes) {
    EXPECT_EQ(only(sound("group 14", "group 2")).severity, ProblemSeverity::Warning);
    EXPECT_EQ(only(sound("group 14\n", "group 14\n hash md5\n")).severity,
              ProblemSeverity::Warning);
    EXPECT_EQ(only(sound(" match", " set pfs\n match")).severity, ProblemSeverity::Warning);
}

TEST(Check, RefusesItselfAsPeer) {
    expect_error(sound("address 192.0.2.20\n", "address 192.0.2.0 255.255.255.0\n") +
                     "crypto map M 10\n set peer 192.0.2.1\n",
                 16,
                 "our own address");
}

// --- tunnel interfaces

/// As sound(), by a tunnel.
std::string tunnel(const std::string& without = {}, const std::string& instead = {}) {
    std::string text = "crypto isakmp policy 10\n"
                       " encr aes\n"
                       " authentication pre-share\n"
                       " group 14\n"
                       "crypto isakmp key k address 192.0.2.20\n"
                       "crypto ipsec transform-set TS esp-gcm 256\n"
                       "crypto ipsec profile P\n"
                       " set transform-set TS\n"
                       "interface GigabitEthernet0/0\n"
                       " ip address 192.0.2.1 255.255.255.0\n"
                       "interface Tunnel10\n"
                       " ip address 172.16.0.1 255.255.255.252\n"
                       " tunnel source GigabitEthernet0/0\n"
                       " tunnel mode ipsec ipv4\n"
                       " tunnel destination 192.0.2.20\n"
                       " tunnel protection ipsec profile P\n"
                       "ip route 10.2.0.0 255.255.0.0 Tunnel10\n";
    return changed(std::move(text), without, instead);
}

TEST(Check, HasNothingToSayAboutASoundTunnel) {
    for (const Problem& problem : parse_config(tunnel()).problems)
        ADD_FAILURE() << to_string(problem);
}

TEST(Check, MissesEachPartOfATunnel) {
    expect_error(tunnel(" tunnel source GigabitEthernet0/0\n"), 15, "no tunnel source");
    expect_error(tunnel(" tunnel mode ipsec ipv4\n"), 15, "GRE, is not supported");
    expect_error(tunnel(" tunnel destination 192.0.2.20\n"), 15, "no tunnel destination");
    expect_error(tunnel("crypto ipsec profile P\n", "crypto ipsec profile Q\n"),
                 16,
                 "no crypto ipsec profile P");
    expect_error(tunnel("source GigabitEthernet0/0", "source GigabitEthernet0/7"),
                 16,
                 "no interface GigabitEthernet0/7");
    expect_error(tunnel("source GigabitEthernet0/0", "source 192.0.2.7"), 16, "192.0.2.7");
    expect_error(tunnel("crypto isakmp key k address 192.0.2.20\n"), 15, "no pre-shared key");
    expect_error(tunnel(" set transform-set TS\n"), 7, "no transform set");
    const Problem shut = only(tunnel(" tunnel source GigabitEthernet0/0\n", " shutdown\n"));
    EXPECT_EQ(shut.severity, ProblemSeverity::Warning);
}

TEST(Check, TheRouteToATunnelsPeerDoesNotLeadIntoATunnel) {
    const auto far = [](const std::string& routes) {
        std::string text =
            tunnel("tunnel destination 192.0.2.20", "tunnel destination 198.51.100.9");
        text.replace(text.find("address 192.0.2.20"), 18, "address 198.51.100.9");
        return text + routes;
    };
    for (const char* way : {"Tunnel10", "172.16.0.2"}) {
        const std::string whole = std::string{"ip route 0.0.0.0 0.0.0.0 "} + way + "\n";
        EXPECT_THAT(only(far(whole)).message, ::testing::HasSubstr("leads into a tunnel"));
        EXPECT_TRUE(parse_config(far(whole + "ip route 198.51.100.0 255.255.255.0 192.0.2.254\n"))
                        .problems.empty());
    }
}

TEST(Check, TwoTunnelsNeedDifferentEnds) {
    expect_error(tunnel() + "interface Tunnel11\n"
                            " ip address 172.16.0.5 255.255.255.252\n"
                            " tunnel source 192.0.2.1\n"
                            " tunnel mode ipsec ipv4\n"
                            " tunnel destination 192.0.2.20\n"
                            " tunnel protection ipsec profile P\n",
                 23,
                 "Tunnel11 has source and destination of Tunnel10");
}

TEST(Check, NetworksOverlapWhereverTheyStandInOrder) {
    expect_error(tunnel("172.16.0.1 255.255.255.252", "192.0.2.129 255.255.255.252"),
                 12,
                 "overlaps that of GigabitEthernet0/0");
    expect_error("interface gi0/0\n ip address 10.1.0.1 255.255.255.0\n"
                 "interface gi0/1\n ip address 10.2.0.1 255.255.255.0\n"
                 "interface gi0/2\n ip address 10.0.0.1 255.0.0.0\n"
                 "no interface gi0/1\n",
                 6,
                 "network 10.0.0.0/8 of GigabitEthernet0/2 overlaps that of GigabitEthernet0/0");
}

} // namespace

} // namespace adit::config

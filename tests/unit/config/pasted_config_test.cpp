// SPDX-License-Identifier: Apache-2.0
// Whole configurations as an administrator pastes them from a router: they run, and every line that
// has no effect or is refused is named with its number.
#include "control/config/parse.h"
#include "control/config/render.h"
#include "control/config/store.h"

#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace adit::config {

namespace {

using ::testing::HasSubstr;

constexpr const char* kBranchRouter = R"(Building configuration...

Current configuration : 2345 bytes
!
! Last configuration change at 09:17:52 UTC Mon Nov 23 2026 by admin
version 15.7
service timestamps debug datetime msec
service timestamps log datetime msec
no service password-encryption
!
hostname branch-1
!
boot-start-marker
boot-end-marker
!
enable secret 9 $9$abcdefgh
!
no aaa new-model
ip cef
no ip domain lookup
ip domain name example.net
!
crypto pki trustpoint TP-self-signed-1
 enrollment selfsigned
 revocation-check none
!
crypto pki certificate chain TP-self-signed-1
 certificate self-signed 01
  3082022B 30820194 A0030201 02020101
  	quit
username admin privilege 15 secret 9 $9$2MJBozw/9R3UsU$2lFhcKvpghcyw8deP25GOfyZaagyUOGBymkryvOdfo6
!
crypto isakmp policy 10
 encr aes 256
 hash sha256
 authentication pre-share
 group 14
crypto isakmp key s3cr3t address 192.0.2.20
crypto isakmp keepalive 10 3 periodic
!
crypto ipsec transform-set TS-A esp-aes 256 esp-sha256-hmac
  mode tunnel
!
crypto map VPNMAP 10 ipsec-isakmp
 set peer 192.0.2.20
 set transform-set TS-A
 set pfs group14
 match address 110
!
interface GigabitEthernet0/0
 description outside
 ip address 192.0.2.1 255.255.255.0
 duplex auto
 speed auto
 no cdp enable
 crypto map VPNMAP
!
interface GigabitEthernet0/1
 ip address 10.1.0.1 255.255.0.0
 no ip redirects
!
ip forward-protocol nd
no ip http server
no ip http secure-server
ip route 0.0.0.0 0.0.0.0 192.0.2.254
!
access-list 110 permit ip 10.1.0.0 0.0.255.255 10.2.0.0 0.0.255.255
!
banner motd ^C
interface GigabitEthernet9/9
 keep out
^C
!
line con 0
 exec-timeout 0 0
line vty 0 4
 login local
 transport input ssh
!
end
this line stands behind the end
)";

unsigned line_of(const std::string& text, const std::string& part) {
    const std::size_t at = text.find(part);
    return static_cast<unsigned>(
        1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
}

TEST(PastedConfig, RunsAsItStands) {
    const auto result = parse_config(kBranchRouter);
    for (const Problem& problem : result.problems)
        EXPECT_EQ(problem.severity, ProblemSeverity::Ignored) << to_string(problem);
    EXPECT_EQ(result.config.hostname, "branch-1");
    EXPECT_EQ(result.config.crypto_maps.at("VPNMAP").size(), 1U);
    EXPECT_EQ(result.config.interfaces.size(), 2U) << "a banner is no configuration";
    EXPECT_EQ(result.config.interfaces.at("GigabitEthernet0/0").crypto_map, "VPNMAP");
}

TEST(PastedConfig, NamesEachLineWithoutEffectByItsNumber) {
    const std::string text = kBranchRouter;
    const auto result = parse_config(text);
    for (const char* part : {"service timestamps debug",
                             "boot-start-marker",
                             "duplex auto",
                             "no cdp enable",
                             "no ip http server",
                             "line vty 0 4",
                             "login local",
                             "enrollment selfsigned",
                             "30820194",
                             "banner motd"}) {
        const bool named = std::any_of(
            result.problems.begin(), result.problems.end(), [&](const Problem& problem) {
                return problem.line == line_of(text, part) &&
                       problem.severity == ProblemSeverity::Ignored;
            });
        EXPECT_TRUE(named) << part;
    }
}

TEST(PastedConfig, HidesSecretsInProblems) {
    for (const Problem& problem : parse_config(kBranchRouter).problems)
        EXPECT_THAT(to_string(problem), ::testing::Not(HasSubstr("$9$"))) << problem.line;
}

TEST(PastedConfig, ComesBackTheSame) {
    const auto first = parse_config(kBranchRouter);
    const std::string text = render(first.config, Secrets::Clear);
    const auto second = parse_config(text);
    EXPECT_TRUE(second.problems.empty()) << to_string(second.problems[0]);
    EXPECT_EQ(render(second.config, Secrets::Clear), text);
}

TEST(PastedConfig, SwallowsABlockThatIsRefusedWithOneError) {
    const auto result = parse_config("crypto keyring KR vrf RED\n"
                                     "  pre-shared-key address 192.0.2.20 key s3cr3t\n"
                                     "crypto isakmp profile P accounting ACC\n"
                                     "   keyring KR\n"
                                     "   match identity address 192.0.2.20 255.255.255.255\n"
                                     "hostname after\n");
    unsigned errors = 0;
    for (const Problem& problem : result.problems)
        errors += problem.severity == ProblemSeverity::Error ? 1 : 0;
    EXPECT_EQ(errors, 2U);
    EXPECT_EQ(result.problems.size(), 5U);
    EXPECT_EQ(result.config.hostname, "after");
}

TEST(PastedConfig, NoUnindentedLineBelongsToABlockAbove) {
    const auto result = parse_config("line vty 0 4\n"
                                     " transport input ssh\n"
                                     "multilink bundle-name authenticated\n"
                                     "control-plane\n"
                                     "crpto isakmp key cisco address 192.0.2.1\n"
                                     " and what is below it\n"
                                     "hostname r1\n");
    ASSERT_EQ(result.problems.size(), 6U);
    EXPECT_EQ(result.problems[2].message, "not spoken here");
    EXPECT_EQ(result.problems[4].severity, ProblemSeverity::Error);
    EXPECT_EQ(result.problems[4].message, "the line is not understood");
    EXPECT_EQ(result.problems[5].severity, ProblemSeverity::Ignored);
    EXPECT_EQ(result.config.hostname, "r1");
}

TEST(PastedConfig, PointsAtTheFirstWrongCharacter) {
    const auto result = parse_config("hostname a\ncrypto isakmp polcy 10\n encr aes\n");
    ASSERT_EQ(result.problems.size(), 2U);
    EXPECT_EQ(result.problems[0].line, 2U);
    EXPECT_EQ(result.problems[0].column, 18U);
    EXPECT_EQ(to_string(result.problems[0]),
              "line 2, column 18: error: the line is not understood ('crypto isakmp polcy 10')");
    EXPECT_EQ(result.problems[1].severity, ProblemSeverity::Ignored) << "part of the block above";
}

TEST(PastedConfig, TakesCrLfAndTabs) {
    const auto result =
        parse_config("hostname a\r\ninterface gi0/0\r\n\tip address 10.0.0.1 255.0.0.0\r\n");
    EXPECT_EQ(result.config.hostname, "a");
    EXPECT_TRUE(result.config.interfaces.at("GigabitEthernet0/0").address.has_value());
    EXPECT_TRUE(result.problems.empty());
}

TEST(PastedConfig, RefusesWhatIsFarTooLong) {
    EXPECT_FALSE(parse_config(std::string(kMaxConfigBytes + 1, '!')).ok());
}

TEST(Store, WritesForTheOwnerAloneAndReadsBack) {
    const auto folder =
        std::filesystem::temp_directory_path() / ("adit-store-" + std::to_string(::getpid()));
    std::filesystem::create_directory(folder);
    const std::string path = folder / "startup.conf";
    EXPECT_EQ(load_text(path).error().code, ErrorCode::NotFound);
    ASSERT_TRUE(save_text(path, "hostname a\n"));
    ASSERT_TRUE(save_text(path, "hostname b\n"));
    EXPECT_EQ(load_text(path).value(), "hostname b\n");
    struct stat status{};
    ASSERT_EQ(::stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);
    EXPECT_FALSE(save_text(folder / "missing" / "x", "text"));
    std::filesystem::remove_all(folder);
}

} // namespace

} // namespace adit::config

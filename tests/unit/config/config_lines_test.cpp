// SPDX-License-Identifier: Apache-2.0
// Every configuration line: what is accepted, what it means, what is refused and in which words.
#include "control/config/editor.h"
#include "control/config/parse.h"
#include "control/config/render.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>

namespace adit::config {

namespace {

using ::testing::HasSubstr;
using ::testing::Not;

ParseResult parse(const std::string& text) {
    return parse_config(text);
}

/// Messages about one line; the checks of the whole are others' business.
std::vector<Problem> about(const ParseResult& result, unsigned line) {
    std::vector<Problem> problems;
    for (const Problem& problem : result.problems)
        if (problem.line == line && !problem.text.empty())
            problems.push_back(problem);
    return problems;
}

std::string refusal(const std::string& text, unsigned line) {
    const auto problems = about(parse(text), line);
    return problems.size() == 1 && problems[0].severity == ProblemSeverity::Error
               ? problems[0].message
               : "not refused: " + text;
}

/// All there is to say about a text.
std::string messages(const std::string& text) {
    std::string all;
    for (const Problem& problem : parse(text).problems)
        all += to_string(problem) + '\n';
    return all;
}

void expect_clean(const std::string& text) {
    for (const Problem& problem : parse(text).problems)
        EXPECT_TRUE(problem.text.empty()) << to_string(problem);
}

TEST(ConfigLines, TakesAPolicy) {
    const auto result = parse("crypto isakmp policy 10\n encr aes 256\n hash sha256\n"
                              " authentication pre-share\n group 14\n lifetime 28800\n");
    ASSERT_EQ(result.config.isakmp_policies.size(), 1U);
    const IsakmpPolicy& policy = result.config.isakmp_policies.at(10);
    EXPECT_EQ(policy.encryption, ike::CipherAlgorithm::AesCbc256);
    EXPECT_EQ(policy.hash, ike::HashAlgorithm::Sha256);
    EXPECT_EQ(policy.authentication, AuthenticationMethod::PreShare);
    EXPECT_EQ(policy.group, ike::Group::Modp2048);
    EXPECT_EQ(policy.lifetime_seconds, 28'800U);
    EXPECT_TRUE(result.ok());
}

TEST(ConfigLines, TakesEveryCipherInBothSpellings) {
    const std::pair<const char*, ike::CipherAlgorithm> cases[] = {
        {"encr 3des", ike::CipherAlgorithm::TripleDesCbc},
        {"encr aes", ike::CipherAlgorithm::AesCbc128},
        {"encryption aes 128", ike::CipherAlgorithm::AesCbc128},
        {"encryption aes 192", ike::CipherAlgorithm::AesCbc192},
        {"encry aes 256", ike::CipherAlgorithm::AesCbc256},
    };
    for (const auto& [line, cipher] : cases) {
        const auto result = parse(std::string("crypto isakmp policy 1\n ") + line);
        EXPECT_TRUE(about(result, 2).empty()) << line;
        EXPECT_EQ(result.config.isakmp_policies.at(1).encryption, cipher) << line;
        EXPECT_TRUE(result.config.isakmp_policies.at(1).encryption_configured) << line;
    }
}

TEST(ConfigLines, RefusesDesWithTheReason) {
    EXPECT_THAT(refusal("crypto isakmp policy 1\n encr des", 2), HasSubstr("DES is not supported"));
    EXPECT_THAT(refusal("crypto ipsec transform-set T esp-des esp-sha-hmac", 1),
                HasSubstr("DES is not supported"));
}

TEST(ConfigLines, RefusesPolicyThatWouldFallBackToDesOrRsa) {
    const auto result = parse("crypto isakmp policy 20\n");
    EXPECT_FALSE(result.ok());
    ASSERT_GE(result.problems.size(), 2U);
    EXPECT_EQ(result.problems[0].line, 1U);
    EXPECT_THAT(result.problems[0].message, HasSubstr("the default, DES"));
    EXPECT_THAT(result.problems[1].message, HasSubstr("rsa-sig (the default)"));
}

TEST(ConfigLines, TakesSignaturesAndRefusesRsaEncryption) {
    for (const auto& [word, method] : std::map<std::string, AuthenticationMethod>{
             {"rsa-sig", AuthenticationMethod::RsaSig},
             {"ecdsa-sig", AuthenticationMethod::EcdsaSig},
             {"pre-share", AuthenticationMethod::PreShare}}) {
        const auto result = parse("crypto isakmp policy 1\n authentication " + word);
        EXPECT_TRUE(about(result, 2).empty()) << word;
        EXPECT_EQ(result.config.isakmp_policies.at(1).authentication, method) << word;
    }
    EXPECT_THAT(refusal("crypto isakmp policy 1\n authentication rsa-encr", 2),
                HasSubstr("RSA encryption is not supported"));
}

TEST(ConfigLines, TakesATrustpoint) {
    const auto result = parse("crypto ca trustpoint HQ\n"
                              " enrollment terminal pem\n"
                              " ca-file /etc/adit/ca.pem\n"
                              " certificate-file /etc/adit/own.pem\n"
                              " key-file /etc/adit/own.key\n"
                              " crl-file /etc/adit/ca.crl\n"
                              " revocation-check none\n");
    EXPECT_TRUE(result.problems.empty());
    const Trustpoint& trustpoint = result.config.trustpoints.at("HQ");
    EXPECT_EQ(trustpoint.ca_file, "/etc/adit/ca.pem");
    EXPECT_EQ(trustpoint.certificate_file, "/etc/adit/own.pem");
    EXPECT_EQ(trustpoint.key_file, "/etc/adit/own.key");
    EXPECT_EQ(trustpoint.crl_file, "/etc/adit/ca.crl");
    EXPECT_FALSE(trustpoint.check_revocation);
    EXPECT_TRUE(parse("crypto pki trustpoint HQ\nno crypto pki trustpoint HQ\n")
                    .config.trustpoints.empty());
    const auto without = parse("crypto pki trustpoint HQ\n revocation-check none\n"
                               " ca-file /a\n no ca-file\n no revocation-check\n");
    EXPECT_EQ(without.config.trustpoints.at("HQ").ca_file, "");
    EXPECT_TRUE(without.config.trustpoints.at("HQ").check_revocation);
}

TEST(ConfigLines, NamesWhatATrustpointCannotDo) {
    const std::string head = "crypto pki trustpoint HQ\n ";
    EXPECT_THAT(refusal(head + "ca-file ca.pem", 2), HasSubstr("the whole path"));
    EXPECT_THAT(refusal(head + "revocation-check ocsp", 2), HasSubstr("OCSP is not supported"));
    EXPECT_THAT(refusal(head + "revocation-check crl none", 2), HasSubstr("fall back"));
    EXPECT_THAT(messages(head + "enrollment url http://ca.example.com"),
                HasSubstr("certificates come from files"));
    EXPECT_THAT(messages(head + "rsakeypair KEY 2048"), HasSubstr("key-file"));
}

TEST(ConfigLines, ChecksThatATrustpointIsWhole) {
    EXPECT_THAT(messages("crypto pki trustpoint HQ\n ca-file /a\n"), HasSubstr("has no crl-file"));
    EXPECT_THAT(messages("crypto pki trustpoint HQ\n certificate-file /a\n"),
                HasSubstr("no key-file"));
    const std::string policy = "crypto isakmp policy 1\n encr aes\n authentication ecdsa-sig\n";
    EXPECT_THAT(messages(policy), HasSubstr("no crypto pki trustpoint has a ca-file"));
    EXPECT_THAT(messages(policy), HasSubstr("a hash that belongs to no curve"));
    EXPECT_THAT(messages(policy + " hash sha384\n"), Not(HasSubstr("belongs to no curve")));
}

TEST(ConfigLines, TakesGroupsWeComputeAndNoOther) {
    for (const char* group : {"1", "2", "5", "14", "15", "16", "19", "20", "21", "24"})
        expect_clean(std::string("crypto isakmp policy 1\n group ") + group);
    EXPECT_EQ(refusal("crypto isakmp policy 1\n group 3", 2), "the line is not understood");
}

TEST(ConfigLines, KeepsNumbersInRange) {
    expect_clean("crypto isakmp policy 10000\n lifetime 86400");
    EXPECT_EQ(refusal("crypto isakmp policy 10001", 1), "the line is not understood");
    EXPECT_EQ(refusal("crypto isakmp policy 0", 1), "the line is not understood");
    EXPECT_EQ(refusal("crypto isakmp policy 1\n lifetime 59", 2), "the line is not understood");
    EXPECT_EQ(refusal("crypto isakmp keepalive 9", 1), "the line is not understood");
}

TEST(ConfigLines, TakesKeysForOnePeerANetworkAndAnybody) {
    const auto result = parse("crypto isakmp key one address 192.0.2.20\n"
                              "crypto isakmp key 0 net address 198.51.100.0 255.255.255.0\n"
                              "crypto isakmp key any address 0.0.0.0 0.0.0.0 no-xauth\n"
                              "crypto isakmp key 0 0 address 192.0.2.21\n");
    EXPECT_TRUE(result.ok());
    const auto& keys = result.config.isakmp_keys;
    ASSERT_EQ(keys.size(), 4U);
    EXPECT_EQ(to_string(keys[0].address), "192.0.2.20/32");
    EXPECT_EQ(to_text(keys[0].key->view()), "one");
    EXPECT_EQ(to_string(keys[1].address), "198.51.100.0/24");
    EXPECT_EQ(to_text(keys[1].key->view()), "net");
    EXPECT_EQ(to_string(keys[2].address), "0.0.0.0/0");
    EXPECT_TRUE(keys[2].no_xauth);
    EXPECT_EQ(to_text(keys[3].key->view()), "0");
}

TEST(ConfigLines, RefusesKeysItCannotUse) {
    EXPECT_THAT(refusal("crypto isakmp key 6 JUaW[Xb address 192.0.2.20", 1), HasSubstr("type 6"));
    EXPECT_THAT(refusal("crypto isakmp key <hidden> address 192.0.2.20", 1), HasSubstr("hidden"));
    EXPECT_THAT(refusal("crypto keyring R\n pre-shared-key hostname gw-b key 6 JUaW", 2),
                HasSubstr("type 6"));
}

TEST(ConfigLines, WarnsWhenAKeyIsReplacedAndNeverPrintsIt) {
    const auto result = parse("crypto isakmp key one address 192.0.2.20\n"
                              "crypto isakmp key two address 192.0.2.20\n");
    ASSERT_EQ(result.problems.size(), 1U);
    EXPECT_EQ(result.problems[0].severity, ProblemSeverity::Warning);
    EXPECT_EQ(result.problems[0].line, 2U);
    EXPECT_EQ(result.problems[0].text, "crypto isakmp key <hidden>");
    EXPECT_EQ(result.config.isakmp_keys.size(), 1U);
}

TEST(ConfigLines, TakesKeepalives) {
    const auto result = parse("crypto isakmp keepalive 30 5 periodic\n"
                              "crypto isakmp nat keepalive 60\n"
                              "crypto isakmp identity address\n");
    ASSERT_TRUE(result.config.keepalive.has_value());
    EXPECT_EQ(result.config.keepalive->interval_seconds, 30U);
    EXPECT_EQ(result.config.keepalive->retry_seconds, 5U);
    EXPECT_TRUE(result.config.keepalive->periodic);
    EXPECT_EQ(result.config.nat_keepalive_seconds, 60U);
    EXPECT_TRUE(result.problems.empty());
}

TEST(ConfigLines, IkeFragmentationIsOnUnlessSwitchedOff) {
    EXPECT_EQ(parse("").config.fragmentation_mtu, 1280U);
    EXPECT_EQ(parse("crypto isakmp fragmentation\n").config.fragmentation_mtu, 1280U);
    EXPECT_EQ(parse("crypto isakmp fragmentation mtu 576\n").config.fragmentation_mtu, 576U);
    EXPECT_FALSE(parse("no crypto isakmp fragmentation\n").config.fragmentation_mtu.has_value());
    const auto small = parse("crypto isakmp fragmentation mtu 95\n");
    EXPECT_EQ(small.problems.size(), 1U);
    EXPECT_EQ(small.config.fragmentation_mtu, 1280U);
}

TEST(ConfigLines, TakesEveryTransformThatProtects) {
    const std::tuple<const char*, EspCipher, EspMac> cases[] = {
        {"esp-aes esp-sha-hmac", EspCipher::AesCbc128, EspMac::HmacSha1_96},
        {"esp-aes 192 esp-sha384-hmac", EspCipher::AesCbc192, EspMac::HmacSha384_192},
        {"esp-sha256-hmac esp-aes 256", EspCipher::AesCbc256, EspMac::HmacSha256_128},
        {"esp-3des esp-md5-hmac", EspCipher::TripleDesCbc, EspMac::HmacMd5_96},
        {"esp-null esp-sha512-hmac", EspCipher::Null, EspMac::HmacSha512_256},
        {"esp-gcm", EspCipher::AesGcm128, EspMac::None},
        {"esp-gcm 256", EspCipher::AesGcm256, EspMac::None},
    };
    for (const auto& [words, cipher, mac] : cases) {
        const auto result =
            parse(std::string("crypto ipsec transform-set TS ") + words + "\n  mode transport\n");
        EXPECT_TRUE(result.ok()) << words;
        ASSERT_TRUE(result.config.transform_sets.contains("TS")) << words;
        const TransformSet& set = result.config.transform_sets.at("TS");
        EXPECT_EQ(set.cipher, cipher) << words;
        EXPECT_EQ(set.mac, mac) << words;
        EXPECT_TRUE(set.transport) << words;
    }
}

TEST(ConfigLines, ReadsTheModeAndSequenceNumbersOfATransformSet) {
    const auto set_of = [](const std::string& lines) {
        const auto result = parse("crypto ipsec transform-set TS esp-gcm\n" + lines);
        EXPECT_TRUE(result.ok()) << lines;
        return result.config.transform_sets.at("TS");
    };
    EXPECT_FALSE(set_of("").transport || set_of("").esn);
    EXPECT_TRUE(set_of(" mode transport require\n").mode_required);
    EXPECT_FALSE(set_of(" mode transport\n").mode_required);
    EXPECT_FALSE(set_of(" mode transport require\n mode tunnel\n").mode_required);
    EXPECT_TRUE(set_of(" esn\n").esn);
    EXPECT_FALSE(set_of(" esn\n no esn\n").esn);
}

TEST(ConfigLines, RefusesTransformsThatDoNotProtect) {
    const auto why = [](const std::string& words) {
        return refusal("crypto ipsec transform-set TS " + words, 1);
    };
    EXPECT_THAT(why("esp-gcm 256 esp-sha-hmac"), HasSubstr("its own integrity"));
    EXPECT_THAT(why("esp-aes 256"), HasSubstr("without integrity"));
    EXPECT_THAT(why("esp-null"), HasSubstr("without integrity"));
    EXPECT_THAT(why("esp-sha-hmac"), HasSubstr("needs a cipher"));
    EXPECT_THAT(why("esp-aes esp-3des esp-sha-hmac"), HasSubstr("one cipher"));
    EXPECT_THAT(why("ah-sha-hmac esp-aes"), HasSubstr("ah-sha-hmac is not supported"));
    EXPECT_FALSE(
        parse("crypto ipsec transform-set TS esp-aes").config.transform_sets.contains("TS"));
}

TEST(ConfigLines, TakesLifetimesAndReplay) {
    const auto result = parse("crypto ipsec security-association lifetime seconds 7200\n"
                              "crypto ipsec security-association lifetime kilobytes disable\n"
                              "crypto ipsec security-association replay window-size 1024\n");
    EXPECT_EQ(result.config.sa_lifetime.seconds, 7'200U);
    EXPECT_EQ(result.config.sa_lifetime.kilobytes, 0U);
    EXPECT_EQ(result.config.replay_window, 1'024U);
    EXPECT_FALSE(result.config.replay_disabled);
    EXPECT_EQ(refusal("crypto ipsec security-association replay window-size 100", 1),
              "the line is not understood");
}

TEST(ConfigLines, WarnsWhenReplayIsSwitchedOff) {
    const auto result = parse("crypto ipsec security-association replay disable\n");
    EXPECT_TRUE(result.config.replay_disabled);
    ASSERT_EQ(result.problems.size(), 1U);
    EXPECT_EQ(result.problems[0].severity, ProblemSeverity::Warning);
}

TEST(ConfigLines, TakesACryptoMapEntry) {
    const auto result = parse("crypto map VPN 10 ipsec-isakmp\n"
                              " description to the branch, all of it\n"
                              " set peer 192.0.2.20 default\n"
                              " set peer 192.0.2.21\n"
                              " set security-association lifetime seconds 1800\n"
                              " set transform-set A B C\n"
                              " set pfs group14\n"
                              " match address 110\n");
    const CryptoMapEntry& entry = result.config.crypto_maps.at("VPN").at(10);
    EXPECT_EQ(entry.description, "to the branch, all of it");
    ASSERT_EQ(entry.peers.size(), 2U);
    EXPECT_EQ(to_string(entry.peers[1]), "192.0.2.21");
    EXPECT_EQ(entry.lifetime.seconds, 1'800U);
    EXPECT_EQ(entry.transform_sets, (std::vector<std::string>{"A", "B", "C"}));
    EXPECT_EQ(entry.pfs, ike::Group::Modp2048);
    EXPECT_EQ(entry.match_address, "110");
    EXPECT_TRUE(entry.prefers_first);
    EXPECT_TRUE(about(result, 3).empty());
}

TEST(ConfigLines, TakesOnlyTheFirstPeerAsTheDefaultOne) {
    EXPECT_THAT(refusal("crypto map VPN 10 ipsec-isakmp\n"
                        " set peer 192.0.2.20\n"
                        " set peer 192.0.2.21 default\n",
                        3),
                HasSubstr("Only the first peer of an entry can be the default one, and that is "
                          "192.0.2.20"));
    const auto parsed = [](const std::string& lines) {
        return parse("crypto map VPN 10 ipsec-isakmp\n set peer 192.0.2.20 default\n" + lines)
            .config.crypto_maps.at("VPN")
            .at(10);
    };
    EXPECT_TRUE(parsed(" set peer 192.0.2.21\n").prefers_first);
    EXPECT_FALSE(parsed(" no set peer 192.0.2.20 default\n").prefers_first);
    EXPECT_EQ(parsed(" no set peer 192.0.2.20 default\n").peers.size(), 1U);
    EXPECT_FALSE(parsed(" no set peer 192.0.2.20\n").prefers_first);
    EXPECT_FALSE(parsed(" set peer 192.0.2.20\n").prefers_first);
}

TEST(ConfigLines, TakesIdleTimes) {
    const auto result = parse("crypto ipsec security-association idle-time 600\n"
                              "crypto ipsec profile P\n"
                              " set security-association idle-time 120\n"
                              "crypto map VPN 10 ipsec-isakmp\n"
                              " set security-association idle-time 60 default\n"
                              "crypto map VPN 20 ipsec-isakmp\n"
                              " set security-association idle-time 60 default\n"
                              " no set security-association idle-time\n");
    EXPECT_EQ(result.config.sa_idle_seconds, 600U);
    EXPECT_EQ(result.config.ipsec_profiles.at("P").idle_seconds, 120U);
    const CryptoMap& map = result.config.crypto_maps.at("VPN");
    EXPECT_EQ(map.at(10).idle_seconds, 60U);
    EXPECT_TRUE(map.at(10).idle_to_default);
    EXPECT_FALSE(map.at(20).idle_seconds);
    EXPECT_FALSE(map.at(20).idle_to_default);
    EXPECT_EQ(refusal("crypto ipsec security-association idle-time 59", 1),
              "the line is not understood");
}

TEST(ConfigLines, TakesEncapsulationInUdpWithoutANat) {
    const std::string line = "crypto ipsec nat-transparency udp-encapsulation force\n";
    EXPECT_TRUE(parse(line).config.udp_always);
    EXPECT_TRUE(parse(line).problems.empty());
    EXPECT_FALSE(parse(line + "no " + line).config.udp_always);
    EXPECT_FALSE(
        parse(line + "crypto ipsec nat-transparency udp-encapsulation\n").config.udp_always);
}

TEST(ConfigLines, TakesADynamicMapAndTheEntryThatStandsForIt) {
    const auto result = parse("crypto dynamic-map DYN 10\n"
                              " description whoever has the key\n"
                              " set transform-set TS\n"
                              " set pfs group14\n"
                              " set security-association lifetime kilobytes disable\n"
                              " match address 110\n"
                              "crypto dynamic-map DYN 20\n"
                              " set peer 192.0.2.20\n"
                              " set transform-set TS\n"
                              " reverse-route\n"
                              "crypto map VPN 65535 ipsec-isakmp dynamic DYN discover\n");
    const CryptoMap& map = result.config.dynamic_maps.at("DYN");
    ASSERT_EQ(map.size(), 2U);
    EXPECT_EQ(map.at(10).description, "whoever has the key");
    EXPECT_EQ(map.at(10).transform_sets, (std::vector<std::string>{"TS"}));
    EXPECT_EQ(map.at(10).pfs, ike::Group::Modp2048);
    EXPECT_EQ(map.at(10).lifetime.kilobytes, 0U);
    EXPECT_EQ(map.at(10).match_address, "110");
    EXPECT_EQ(map.at(20).peers.size(), 1U);
    EXPECT_EQ(result.config.crypto_maps.at("VPN").at(65'535).dynamic_map, "DYN");
    EXPECT_FALSE(map.at(10).reverse_route);
    EXPECT_TRUE(map.at(20).reverse_route);
    EXPECT_TRUE(about(result, 10).empty());
    ASSERT_EQ(about(result, 11).size(), 1U);
    EXPECT_THAT(about(result, 11)[0].message, HasSubstr("discovered"));
}

TEST(ConfigLines, EntryIsEitherStaticOrDynamic) {
    EXPECT_THAT(refusal("crypto map M 10 ipsec-isakmp\ncrypto map M 10 ipsec-isakmp dynamic D", 2),
                HasSubstr("another one"));
    EXPECT_THAT(refusal("crypto map M 10 ipsec-isakmp dynamic D\ncrypto map M 10 ipsec-isakmp", 2),
                HasSubstr("crypto dynamic-map D"));
    EXPECT_THAT(
        refusal("crypto map M 10 ipsec-isakmp dynamic D\ncrypto map M 10 ipsec-isakmp dynamic E",
                2),
        HasSubstr("no crypto map M 10"));
}

TEST(ConfigLines, RemovesDynamicMapsAndTheirEntries) {
    const char* both = "crypto dynamic-map D 10\ncrypto dynamic-map D 20\n";
    EXPECT_EQ(parse(std::string{both} + "no crypto dynamic-map D 10\n")
                  .config.dynamic_maps.at("D")
                  .size(),
              1U);
    EXPECT_TRUE(parse(std::string{both} + "no crypto dynamic-map D\n").config.dynamic_maps.empty());
    EXPECT_TRUE(parse("crypto map M 10 ipsec-isakmp dynamic D\n"
                      "no crypto map M 10 ipsec-isakmp dynamic D\n")
                    .config.crypto_maps.empty());
}

TEST(ConfigLines, RefusesMapsItCannotCarryOut) {
    EXPECT_THAT(refusal("crypto map M local-address Loopback0", 1), HasSubstr("local-address"));
    EXPECT_THAT(refusal("crypto map M 10 ipsec-isakmp\n set peer gw.example.com", 2),
                HasSubstr("host name"));
    EXPECT_THAT(refusal("crypto map M 10 ipsec-isakmp\n set peer 224.0.0.1", 2),
                HasSubstr("cannot be a peer"));
}

TEST(ConfigLines, TakesAccessListsInBothForms) {
    const auto result =
        parse("access-list 110 remark to the branch\n"
              "access-list 110 permit ip 10.1.2.3 0.0.255.255 10.2.0.0 0.0.255.255\n"
              "access-list 110 permit tcp host 10.1.1.1 eq www any gt 1023 log\n"
              "ip access-list extended NAMED\n"
              " permit udp any eq isakmp 10.0.0.0 0.255.255.255\n"
              " 15 permit gre host 10.0.0.1 host 10.0.0.2\n"
              " deny 50 any any\n"
              " 12 permit icmp any any\n");
    const auto& numbered = result.config.access_lists.at("110").lines;
    ASSERT_EQ(numbered.size(), 3U);
    EXPECT_EQ(numbered[0].remark, "to the branch");
    EXPECT_EQ(acl_line_text(numbered[1]), "permit ip 10.1.0.0 0.0.255.255 10.2.0.0 0.0.255.255");
    EXPECT_EQ(numbered[1].sequence, 10U);
    EXPECT_EQ(acl_line_text(numbered[2]), "permit tcp host 10.1.1.1 eq www any gt 1023");
    const auto& named = result.config.access_lists.at("NAMED").lines;
    ASSERT_EQ(named.size(), 4U);
    EXPECT_EQ(named[0].sequence, 10U);
    EXPECT_EQ(named[1].sequence, 12U);
    EXPECT_EQ(named[2].sequence, 15U);
    EXPECT_EQ(named[3].sequence, 25U);
    EXPECT_EQ(acl_line_text(named[3]), "deny esp any any");
    EXPECT_EQ(about(result, 3).size(), 1U) << "log has no effect, and that is said";
}

TEST(ConfigLines, TakesAnyAndHostInTheirLongForms) {
    const auto result =
        parse("access-list 100 permit ip 0.0.0.0 255.255.255.255 10.0.0.1 0.0.0.0\n");
    EXPECT_EQ(acl_line_text(result.config.access_lists.at("100").lines.at(0)),
              "permit ip any host 10.0.0.1");
}

TEST(ConfigLines, RefusesRulesItCannotRepresent) {
    for (const char* rule : {"permit ip any",
                             "permit tcp any any established",
                             "permit tcp any neq 80 any",
                             "permit icmp any any echo",
                             "permit ip any any eq 80",
                             "permit 256 any any",
                             "permit ip 10.0.0.0 any",
                             "permit ip 10.0.0.300 0.0.0.255 any"})
        EXPECT_FALSE(parse(std::string("access-list 100 ") + rule).ok()) << rule;
    EXPECT_THAT(refusal("access-list 100 permit tcp any range 90 80 any", 1), HasSubstr("above"));
    EXPECT_THAT(refusal("access-list 100 permit tcp any eq snmp any", 1), HasSubstr("not a port"));
    EXPECT_THAT(refusal("access-list 100 permit udp any lt 0 any", 1), HasSubstr("No port"));
    EXPECT_EQ(refusal("access-list 200 permit ip any any", 1), "the line is not understood");
}

TEST(ConfigLines, RemovesAndRefusesDuplicateRules) {
    const auto result =
        parse("ip access-list extended X\n permit ip any any\n 10 permit tcp any any\n"
              " permit ip any any\n deny tcp any any\n no 10\n no deny tcp any any\n");
    ASSERT_EQ(about(result, 3).size(), 1U);
    EXPECT_EQ(about(result, 3)[0].message, "Duplicate sequence number");
    EXPECT_TRUE(result.config.access_lists.at("X").lines.empty());
}

TEST(ConfigLines, TakesInterfacesUnderAnyName) {
    for (const char* name : {"GigabitEthernet0/0", "gi0/0", "Gi 0/0", "GigabitEthernet 0/0"}) {
        const auto result = parse(std::string("interface ") + name +
                                  "\n description outside\n ip address 192.0.2.1 255.255.255.0\n"
                                  " ip mtu 1400\n shutdown\n");
        ASSERT_TRUE(result.config.interfaces.contains("GigabitEthernet0/0")) << name;
        const Interface& interface = result.config.interfaces.at("GigabitEthernet0/0");
        EXPECT_EQ(interface.description, "outside");
        EXPECT_EQ(interface.prefix_length, 24);
        EXPECT_EQ(interface.ip_mtu, 1'400U);
        EXPECT_TRUE(interface.shutdown);
        EXPECT_TRUE(result.ok());
    }
}

TEST(ConfigLines, RefusesAddressesNoHostMayHave) {
    for (const char* address : {"10.0.0.0 255.255.255.0",
                                "10.0.0.255 255.255.255.0",
                                "127.0.0.1 255.0.0.0",
                                "224.0.0.1 255.255.255.0",
                                "0.0.0.0 0.0.0.0"})
        EXPECT_THAT(refusal(std::string("interface gi0/0\n ip address ") + address, 2),
                    HasSubstr("Bad mask"));
    expect_clean("interface gi0/0\n ip address 10.0.0.0 255.255.255.254");
    EXPECT_EQ(refusal("interface gi0/0\n ip address 10.0.0.1 255.0.255.0", 2),
              "the line is not understood");
}

TEST(ConfigLines, RefusesFiltersAndNatRatherThanLeavingThemOut) {
    for (const char* line : {"ip access-group 101 in",
                             "ip nat outside",
                             "zone-member security Z",
                             "ip address 10.0.0.1 255.255.255.0 secondary",
                             "tunnel mode ipsec ipv4",
                             "vrf forwarding RED",
                             "encapsulation dot1Q 70"})
        EXPECT_THAT(refusal(std::string("interface gi0/0\n ") + line, 2),
                    HasSubstr("not supported"))
            << line;
    EXPECT_THAT(refusal("ip nat inside source list 1 interface gi0/0 overload", 1),
                HasSubstr("NAT is not supported"));
}

constexpr const char* kTunnel = "interface Tunnel10\n"
                                " ip address 172.16.0.1 255.255.255.252\n"
                                " ip mtu 1400\n"
                                " ip tcp adjust-mss 1360\n"
                                " tunnel source GigabitEthernet0/0\n"
                                " tunnel mode ipsec ipv4\n"
                                " tunnel destination 192.0.2.20\n"
                                " tunnel protection ipsec profile P\n";

TEST(ConfigLines, TakesATunnel) {
    expect_clean(kTunnel);
    const auto result = parse(kTunnel);
    const Interface& tunnel = result.config.interfaces.at("Tunnel10");
    EXPECT_EQ(tunnel.ip_mtu, 1400U);
    EXPECT_EQ(tunnel.tcp_mss, 1360U);
    EXPECT_EQ(tunnel.tunnel.source_interface, "GigabitEthernet0/0");
    EXPECT_EQ(tunnel.tunnel.destination, Ipv4Address(192, 0, 2, 20));
    EXPECT_TRUE(tunnel.tunnel.ipsec);
    EXPECT_EQ(tunnel.tunnel.profile, "P");
    EXPECT_EQ(render_interface(result.config, "Tunnel10"), kTunnel + std::string{"!\n"});

    const auto other = parse("interface tu 2\n ip unnumbered gi 0/1\n tunnel source 192.0.2.1\n");
    const Interface& unnumbered = other.config.interfaces.at("Tunnel2");
    EXPECT_EQ(unnumbered.unnumbered, "GigabitEthernet0/1");
    EXPECT_EQ(unnumbered.tunnel.source, Ipv4Address(192, 0, 2, 1));
    EXPECT_EQ(render_interface(other.config, "Tunnel2"),
              "interface Tunnel2\n ip unnumbered GigabitEthernet0/1\n"
              " tunnel source 192.0.2.1\n!\n");
}

TEST(ConfigLines, UndoesWhatATunnelHas) {
    const auto result =
        parse(std::string{kTunnel} + " no ip mtu\n no ip tcp adjust-mss\n no tunnel source\n"
                                     " no tunnel mode\n no tunnel destination\n"
                                     " no tunnel protection ipsec profile\n no ip address\n");
    EXPECT_EQ(render_interface(result.config, "Tunnel10"),
              "interface Tunnel10\n no ip address\n!\n");
}

TEST(ConfigLines, RefusesTunnelsOfOtherKinds) {
    const auto below = [](const std::string& line) {
        return refusal("interface Tunnel1\n " + line, 2);
    };
    EXPECT_THAT(below("tunnel mode gre ip"), HasSubstr("Only tunnel mode ipsec ipv4"));
    EXPECT_THAT(below("tunnel mode gre multipoint"), HasSubstr("Only tunnel mode ipsec ipv4"));
    EXPECT_THAT(below("tunnel mode ipsec ipv6"), HasSubstr("IPv6"));
    EXPECT_THAT(below("tunnel destination dynamic"), HasSubstr("must be an address"));
    EXPECT_THAT(below("tunnel destination peer.example"), HasSubstr("must be an address"));
    EXPECT_THAT(below("tunnel destination 224.0.0.5"), HasSubstr("cannot be a peer"));
    EXPECT_THAT(below("tunnel key 7"), HasSubstr("not supported"));
    EXPECT_THAT(below("tunnel vrf RED"), HasSubstr("not supported"));
    EXPECT_THAT(below("ip unnumbered Tunnel2"), HasSubstr("lends no address"));
    EXPECT_THAT(below("crypto map M"), HasSubstr("tunnel protection"));
    EXPECT_THAT(refusal("interface Tunnel0/1", 1), HasSubstr("one number"));
    EXPECT_THAT(refusal("interface gi0/0\n ip unnumbered gi0/1", 2), HasSubstr("of its own"));
    for (const char* line : {"tunnel source gi0/1",
                             "tunnel destination 192.0.2.20",
                             "tunnel protection ipsec profile P"})
        EXPECT_THAT(refusal(std::string("interface gi0/0\n ") + line, 2),
                    HasSubstr("not supported on GigabitEthernet0/0"));
}

TEST(ConfigLines, SaysWhatOfATunnelHasNoEffect) {
    for (const char* line : {"keepalive 10 3",
                             "tunnel path-mtu-discovery",
                             "tunnel protection ipsec profile P shared",
                             "ip virtual-reassembly"}) {
        const auto problems = about(parse(std::string("interface Tunnel1\n ") + line), 2);
        ASSERT_EQ(problems.size(), 1U) << line;
        EXPECT_EQ(problems[0].severity, ProblemSeverity::Ignored) << line;
    }
    const auto mss = about(parse("interface gi0/0\n ip tcp adjust-mss 1360"), 2);
    ASSERT_EQ(mss.size(), 1U);
    EXPECT_EQ(mss[0].severity, ProblemSeverity::Ignored);
}

TEST(ConfigLines, TakesAnIpsecProfile) {
    const char* text = "crypto ipsec profile P\n"
                       " description to the branch\n"
                       " set security-association lifetime seconds 900\n"
                       " set transform-set A B\n"
                       " set isakmp-profile I\n"
                       " set pfs group14\n";
    const auto result = parse(text);
    const IpsecProfile& profile = result.config.ipsec_profiles.at("P");
    EXPECT_EQ(profile.transform_sets, (std::vector<std::string>{"A", "B"}));
    EXPECT_EQ(profile.pfs, ike::Group::Modp2048);
    EXPECT_EQ(profile.isakmp_profile, "I");
    EXPECT_EQ(profile.lifetime.seconds, 900U);
    EXPECT_THAT(render(result.config, Secrets::Clear), HasSubstr(text));
    EXPECT_TRUE(
        parse(std::string{text} + "no crypto ipsec profile P\n").config.ipsec_profiles.empty());
    EXPECT_THAT(refusal("crypto ipsec profile P\n set ikev2-profile X", 2),
                HasSubstr("not supported"));
}

TEST(ConfigLines, TakesRoutes) {
    const auto result = parse("interface gi0/1\n ip address 10.0.0.1 255.255.255.0\n"
                              "ip route 0.0.0.0 0.0.0.0 10.0.0.254\n"
                              "ip route 10.9.0.0 255.255.0.0 gi 0/1 10.0.0.2 200\n");
    ASSERT_EQ(result.config.routes.size(), 2U);
    EXPECT_EQ(to_string(result.config.routes[0].prefix), "0.0.0.0/0");
    EXPECT_EQ(result.config.routes[1].interface, "GigabitEthernet0/1");
    EXPECT_EQ(result.config.routes[1].distance, 200);
    EXPECT_TRUE(result.ok());
    EXPECT_THAT(refusal("ip route 10.9.0.1 255.255.0.0 10.0.0.1", 1), HasSubstr("Inconsistent"));
    EXPECT_THAT(refusal("ip route 10.9.0.0 255.255.0.0 Null1", 1), HasSubstr("Null0"));
    EXPECT_THAT(refusal("ip route 10.9.0.0 255.255.0.0 Null0 192.0.2.20", 1),
                HasSubstr("Null0 leads to no next hop"));
    const auto nowhere = parse("ip route 10.9.0.0 255.255.0.0 null 0\n");
    EXPECT_TRUE(nowhere.problems.empty());
    ASSERT_EQ(nowhere.config.routes.size(), 1U);
    EXPECT_EQ(nowhere.config.routes[0].interface, "Null0");
}

TEST(ConfigLines, HostnameKeepsToItsCharacters) {
    EXPECT_EQ(parse("hostname gw-a.example\n").config.hostname, "gw-a.example");
    EXPECT_THAT(refusal("hostname gw\x01", 1), HasSubstr("hostname"));
    EXPECT_THAT(refusal("hostname " + std::string(64, 'a'), 1), HasSubstr("63"));
}

TEST(ConfigLines, NoFormsUndoWhatTheLinesDid) {
    const auto result = parse(
        "hostname x\nno hostname\n"
        "crypto isakmp policy 10\n encr aes\n no encr\n group 14\n no group\n hash md5\n no hash\n"
        "no crypto isakmp policy 10\n"
        "crypto isakmp key k address 192.0.2.1\nno crypto isakmp key k address 192.0.2.1\n"
        "crypto isakmp keepalive 10\nno crypto isakmp keepalive\n"
        "crypto ipsec transform-set T esp-gcm\nno crypto ipsec transform-set T\n"
        "crypto map M 1 ipsec-isakmp\n set peer 192.0.2.1\n no set peer 192.0.2.1\n"
        " set pfs\n no set pfs\n match address X\n no match address\nno crypto map M\n"
        "access-list 100 permit ip any any\nno access-list 100\n"
        "interface gi0/0\n ip address 10.0.0.1 255.0.0.0\n no ip address\n shutdown\n no shutdown\n"
        "no interface gi0/0\n"
        "ip route 10.0.0.0 255.0.0.0 192.0.2.1\nno ip route 10.0.0.0 255.0.0.0 192.0.2.1\n");
    for (const Problem& problem : result.problems)
        ADD_FAILURE() << to_string(problem);
    EXPECT_EQ(render(result.config, Secrets::Clear), render(Config{}, Secrets::Clear));
}

TEST(ConfigLines, TakesKeyringsAndProfiles) {
    const auto result = parse("ip domain name example.net\n"
                              "crypto keyring SPOKES\n"
                              " pre-shared-key address 192.0.2.0 255.255.255.0 key one\n"
                              " pre-shared-key hostname gw.example.net key 0 two\n"
                              "crypto isakmp profile P\n"
                              " keyring SPOKES\n"
                              " self-identity user-fqdn hub@example.net\n"
                              " match identity address 192.0.2.0 255.255.255.0\n"
                              " match identity host domain example.net\n"
                              " match identity group SALES\n"
                              " keepalive 20 retry 4\n"
                              " initiate mode aggressive\n");
    ASSERT_TRUE(result.ok());
    const Keyring& keyring = result.config.keyrings.at("SPOKES");
    ASSERT_EQ(keyring.keys.size(), 2U);
    EXPECT_EQ(keyring.keys[0].address.length, 24);
    EXPECT_EQ(keyring.keys[1].hostname, "gw.example.net");
    const IsakmpProfile& profile = result.config.isakmp_profiles.at("P");
    EXPECT_EQ(profile.keyrings, std::vector<std::string>{"SPOKES"});
    ASSERT_EQ(profile.matches.size(), 3U);
    EXPECT_EQ(profile.matches[1].kind, ike::IdentityMatch::Kind::HostDomain);
    EXPECT_EQ(profile.matches[2].text, "SALES");
    EXPECT_EQ(profile.self->text, "hub@example.net");
    EXPECT_EQ(profile.keepalive->retry_seconds, 4U);
    EXPECT_TRUE(profile.initiate_aggressive);
}

TEST(ConfigLines, AggressiveModeWithKeysIsWarnedOf) {
    for (const char* text :
         {"crypto isakmp aggressive-mode enable\n",
          "crypto isakmp key K hostname gw.example.net\n",
          "crypto isakmp peer address 192.0.2.1\n set aggressive-mode password K\n"})
        EXPECT_TRUE(std::ranges::any_of(parse(text).problems, [](const Problem& problem) {
            return problem.severity == ProblemSeverity::Warning &&
                   problem.message.find("CVE-2018-5389") != std::string::npos;
        })) << text;
    EXPECT_TRUE(std::ranges::none_of(parse("crypto isakmp aggressive-mode disable\n"
                                           "crypto isakmp key K hostname gw.example.net\n")
                                         .problems,
                                     [](const Problem& problem) {
                                         return problem.message.find("CVE-2018-5389") !=
                                                std::string::npos;
                                     }));
}

TEST(ConfigLines, NamesWhatAProfileLacks) {
    const auto result = parse("crypto isakmp profile P\n keyring NONE\n");
    EXPECT_TRUE(std::ranges::any_of(result.problems, [](const Problem& problem) {
        return problem.line == 2 &&
               problem.message.find("there is no keyring NONE") != std::string::npos;
    }));
}

TEST(ConfigLines, KeepsPasswordsHashedAlone) {
    const auto result = parse("username ann secret 0 anns-secret\n"
                              "username bob privilege 15 password bobs-secret\n"
                              "username cid secret 8 "
                              "$8$TnGX/fE4KGHOVU$pEhnEvxrvaynpi8j4f.EMHr6M.FzU8xnZnBr/tJdFWk\n");
    ASSERT_EQ(result.config.users.size(), 3U);
    const auto is = [&](const char* user, const char* password) {
        return ike::is_password(result.config.users.at(user).password, as_bytes(password));
    };
    EXPECT_TRUE(is("ann", "anns-secret"));
    EXPECT_TRUE(is("bob", "bobs-secret"));
    EXPECT_TRUE(is("cid", "hashcat"));
    EXPECT_EQ(result.config.users.at("bob").privilege, 15);
    for (const Secrets secrets : {Secrets::Hidden, Secrets::Clear}) {
        const std::string text = render(result.config, secrets);
        EXPECT_THAT(text, HasSubstr("username ann secret 9 $9$"));
        EXPECT_THAT(text, ::testing::Not(HasSubstr("s-secret")));
    }
}

TEST(ConfigLines, SamePasswordAgainChangesNothing) {
    const auto result = parse("username ann secret 0 x\n");
    Editor editor{result.config};
    EXPECT_EQ(editor.line("username ann password x").kind, Verdict::Kind::Done);
    EXPECT_EQ(editor.config().users.at("ann").password, result.config.users.at("ann").password);
    editor.line("username ann password y");
    EXPECT_NE(editor.config().users.at("ann").password, result.config.users.at("ann").password);
    editor.line("no username ann");
    EXPECT_TRUE(editor.config().users.empty());
}

TEST(ConfigLines, SaysWhyAPasswordIsNotTaken) {
    EXPECT_THAT(refusal("username ann secret 9 $9$zzzz\n", 1), HasSubstr("14 characters of salt"));
    EXPECT_THAT(refusal("username ann secret <hidden>\n", 1), HasSubstr("hidden"));
    EXPECT_THAT(refusal("username ann secret " + std::string(128, 'x') + "\n", 1),
                HasSubstr("up to 127"));
    const auto old = about(parse("username ann password 7 0822455D0A16\n"), 1);
    ASSERT_EQ(old.size(), 1U);
    EXPECT_EQ(old[0].severity, ProblemSeverity::Ignored);
    EXPECT_THAT(old[0].message, HasSubstr("cannot log in as a client"));
    EXPECT_THAT(old[0].text, ::testing::Not(HasSubstr("0822455D0A16")));
}

TEST(ConfigLines, TakesAPool) {
    const auto result = parse("ip local pool A 10.9.0.1 10.9.0.9\nip local pool B 10.8.0.1\n");
    EXPECT_EQ(result.config.pools.at("A").last, (Ipv4Address{10, 9, 0, 9}));
    EXPECT_EQ(result.config.pools.at("B").last, (Ipv4Address{10, 8, 0, 1}));
    EXPECT_THAT(refusal("ip local pool A 10.9.0.2 10.9.0.1\n", 1), HasSubstr("not below"));
    EXPECT_THAT(refusal("ip local pool A 10.0.0.0 10.255.0.0\n", 1), HasSubstr("65536"));
    EXPECT_THAT(refusal("ip local pool A 10.9.0.1 10.9.0.9\nip local pool B 10.9.0.9\n", 2),
                HasSubstr("in pool A"));
}

TEST(ConfigLines, TakesAClientGroup) {
    const auto result = parse("crypto isakmp client configuration group staff\n"
                              " key 0 group-key\n"
                              " dns 10.1.0.53 10.1.0.54\n"
                              " wins 10.1.0.60\n"
                              " domain example.com\n"
                              " pool CLIENTS\n"
                              " acl SPLIT\n"
                              " split-dns a.example\n"
                              " split-dns b.example\n"
                              " backup-gateway 192.0.2.99\n"
                              " netmask 255.255.255.0\n"
                              " banner ^C Welcome to the lab ^C\n"
                              " save-password\n"
                              " pfs\n"
                              " max-users 50\n"
                              " max-logins 2\n");
    const ClientGroup& group = result.config.client_groups.at("staff");
    EXPECT_EQ(to_text(group.key->view()), "group-key");
    EXPECT_EQ(group.dns.size(), 2U);
    EXPECT_EQ(group.wins.size(), 1U);
    EXPECT_EQ(group.domain, "example.com");
    EXPECT_EQ(group.pool, "CLIENTS");
    EXPECT_EQ(group.acl, "SPLIT");
    EXPECT_THAT(group.split_dns, ::testing::ElementsAre("a.example", "b.example"));
    EXPECT_THAT(group.backup_gateways, ::testing::ElementsAre("192.0.2.99"));
    EXPECT_EQ(group.netmask, (Ipv4Address{255, 255, 255, 0}));
    EXPECT_EQ(group.banner, "Welcome to the lab");
    EXPECT_TRUE(group.save_password && group.pfs);
    EXPECT_EQ(group.max_users, 50U);
    EXPECT_EQ(group.max_logins, 2U);
    EXPECT_THAT(render(result.config, Secrets::Hidden), HasSubstr(" key <hidden>\n"));
    EXPECT_THAT(refusal("crypto isakmp client configuration group g\n banner ^C\n", 2),
                HasSubstr("one line"));
}

TEST(ConfigLines, CryptoMapSaysHowClientsAreLetIn) {
    const auto result = parse("crypto map M client authentication list L\n"
                              "crypto map M isakmp authorization list default\n"
                              "crypto map M client configuration address respond\n");
    const ClientAccess& access = result.config.client_access.at("M");
    EXPECT_EQ(access.authentication_list, "L");
    EXPECT_EQ(access.authorization_list, "default");
    EXPECT_TRUE(access.respond);
    EXPECT_FALSE(access.initiate);
    Editor editor{result.config};
    editor.line("no crypto map M client authentication list L");
    editor.line("no crypto map M isakmp authorization list");
    editor.line("no crypto map M client configuration address respond");
    EXPECT_TRUE(editor.config().client_access.empty());
}

TEST(ConfigLines, ProfileSaysHowItsClientsAreLetIn) {
    const std::string text = "crypto isakmp profile STAFF\n"
                             " match identity group staff\n"
                             " client authentication list L\n"
                             " isakmp authorization list default\n"
                             " client configuration address initiate\n"
                             " client configuration group staff\n";
    const auto result = parse(text);
    const ClientAccess& access = result.config.isakmp_profiles.at("STAFF").access;
    EXPECT_EQ(access.authentication_list, "L");
    EXPECT_EQ(access.authorization_list, "default");
    EXPECT_EQ(access.group, "staff");
    EXPECT_TRUE(access.initiate);
    EXPECT_FALSE(access.respond);
    EXPECT_THAT(render(result.config, Secrets::Hidden), HasSubstr(text));
    EXPECT_TRUE(std::ranges::any_of(result.problems, [](const Problem& problem) {
        return problem.message.find("there is no client group staff") != std::string::npos;
    }));
    Editor editor{result.config};
    editor.line("crypto isakmp profile STAFF");
    editor.line("no client authentication list L");
    editor.line("no isakmp authorization list default");
    editor.line("no client configuration address initiate");
    editor.line("no client configuration group");
    EXPECT_EQ(editor.config().isakmp_profiles.at("STAFF").access, ClientAccess{});
}

TEST(ConfigLines, InvalidSpiRecoveryIsKept) {
    const std::string line = "crypto isakmp invalid-spi-recovery\n";
    EXPECT_THAT(render(parse(line).config, Secrets::Hidden), HasSubstr(line));
    EXPECT_FALSE(parse(line + "no " + line).config.invalid_spi_recovery);
}

TEST(ConfigLines, DynamicMapOfClientsNeedsNeitherKeyNorAccessList) {
    const std::string text = "crypto dynamic-map D 10\n"
                             " set transform-set TS\n"
                             "crypto map M 10 ipsec-isakmp dynamic D\n";
    const auto warnings = [](const std::string& config) {
        return std::ranges::count_if(parse_config(config).problems, [](const Problem& problem) {
            return problem.message.find("has no access list") != std::string::npos ||
                   problem.message.find("peers of any address") != std::string::npos;
        });
    };
    EXPECT_EQ(warnings(text), 2);
    EXPECT_EQ(warnings(text + "crypto map M client configuration address respond\n"), 0);
    EXPECT_EQ(warnings("crypto isakmp profile P\n"
                       " client configuration address initiate\n"
                       "crypto dynamic-map D 10\n"
                       " set isakmp-profile P\n"
                       "crypto map M 10 ipsec-isakmp dynamic D\n"),
              0);
}

TEST(ConfigLines, ListOfOthersThanLocalUsersIsNamedAndLetsNobodyIn) {
    const auto result = parse("aaa new-model\n"
                              "aaa authentication login REMOTE group radius\n"
                              "crypto map M client authentication list REMOTE\n");
    EXPECT_TRUE(result.config.login_lists.empty());
    const auto ignored = about(result, 2);
    ASSERT_EQ(ignored.size(), 1U);
    EXPECT_THAT(ignored[0].message, HasSubstr("lets nobody in"));
    EXPECT_TRUE(std::ranges::any_of(result.problems, [](const Problem& problem) {
        return problem.severity == ProblemSeverity::Error &&
               problem.message.find("no login list REMOTE") != std::string::npos;
    }));
}

} // namespace

} // namespace adit::config

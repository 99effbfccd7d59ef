// SPDX-License-Identifier: Apache-2.0
#include "control/pki/trustpoint_set.h"

#include "tests/support/test_ca.h"

#include <gtest/gtest.h>

namespace adit::pki {
namespace {

using test::Entity;
using test::issue;
using test::key_pem_of;
using test::KeyPair;
using test::make_ca;
using test::make_crl;
using test::pem_of;

class TrustpointTest : public testing::Test {
  protected:
    const Entity root = make_ca("Root");
    const Entity intermediate = make_ca("Intermediate", &root);
    const Entity own = issue(KeyPair::rsa(),
                             {.common_name = "gw.example.com",
                              .alternative_names = "DNS:gw.example.com,IP:192.0.2.1",
                              .key_usage = "critical,digitalSignature",
                              .serial = 0x61bf09d3},
                             &intermediate);
    test::TempFolder folder;
    TrustpointFiles files{
        .name = "TP",
        .ca_file = folder.write("ca.pem", pem_of(root)),
        .certificate_file = folder.write("own.pem", pem_of(own) + pem_of(intermediate)),
        .key_file = folder.write("own.key", key_pem_of(own)),
        .crl_file = folder.write("ca.crl", pem_of(make_crl(root, {&intermediate})))};

    [[nodiscard]] std::string refusal() const {
        const auto loaded = load(files);
        return loaded ? "loaded" : loaded.error().text;
    }
};

TEST_F(TrustpointTest, LoadsWhatTheFilesHold) {
    const auto loaded = load(files);
    ASSERT_TRUE(loaded) << loaded.error().text;
    const Trustpoint& trustpoint = **loaded;
    ASSERT_EQ(trustpoint.authorities.size(), 1U);
    ASSERT_EQ(trustpoint.own.size(), 2U);
    ASSERT_EQ(trustpoint.crls.size(), 1U);
    EXPECT_EQ(trustpoint.crls[0].revoked, 1U);
    EXPECT_EQ(trustpoint.authority_names, std::vector<Bytes>{root.subject()});
    ASSERT_NE(trustpoint.credential, nullptr);
    EXPECT_EQ(trustpoint.credential->chain, (std::vector<Bytes>{own.der(), intermediate.der()}));
    EXPECT_EQ(trustpoint.credential->issuers,
              (std::vector<Bytes>{intermediate.subject(), root.subject()}));
    EXPECT_EQ(trustpoint.credential->subject, own.subject());
    EXPECT_EQ(trustpoint.credential->addresses,
              (std::vector<Ipv4Address>{Ipv4Address{192, 0, 2, 1}}));
    EXPECT_EQ(trustpoint.credential->key->scheme(), ike::SignatureScheme::RsaRaw);
    EXPECT_TRUE(trustpoint.credential->key->sign(Bytes(32)));
}

TEST_F(TrustpointTest, SaysWhatACertificateHolds) {
    const CertificateInfo info = (*load(files))->own.front();
    EXPECT_EQ(info.serial, "61BF09D3");
    EXPECT_EQ(info.subject, (std::vector<std::string>{"cn=gw.example.com", "o=Example"}));
    EXPECT_EQ(info.issuer, (std::vector<std::string>{"cn=Intermediate", "o=Example"}));
    EXPECT_EQ(info.alternative_names,
              (std::vector<std::string>{"dns gw.example.com", "ip 192.0.2.1"}));
    EXPECT_EQ(info.not_before, "00:00:00 UTC Dec 31 2029");
    EXPECT_EQ(info.not_after, "00:00:00 UTC Jan 31 2030");
    EXPECT_EQ(info.usage, "Signature");
    EXPECT_EQ(info.key, "RSA 2048 bit");
    EXPECT_EQ(info.sha1.size(), 40U);
    EXPECT_FALSE(info.authority);
}

TEST_F(TrustpointTest, VerifyingNeedsNoCertificateOfOurs) {
    files.certificate_file.clear();
    files.key_file.clear();
    const auto loaded = load(files);
    ASSERT_TRUE(loaded);
    EXPECT_EQ((*loaded)->credential, nullptr);
    EXPECT_NE((*loaded)->anchors, nullptr);
}

TEST_F(TrustpointTest, EachBadFileIsNamedWithItsReason) {
    files.ca_file = folder.path() + "/none.pem";
    EXPECT_EQ(refusal(), files.ca_file + ": No such file or directory");
    files.ca_file = folder.path();
    EXPECT_EQ(refusal(), files.ca_file + ": is no file");
    files.ca_file = folder.write("empty.pem", "");
    EXPECT_EQ(refusal(), files.ca_file + ": is empty");
    files.ca_file = folder.write("rubbish.pem", "no certificate at all\n");
    EXPECT_EQ(refusal(), files.ca_file + ": holds no certificate in PEM form");
    const std::string whole = pem_of(root);
    files.ca_file = folder.write("cut.pem", whole.substr(0, whole.size() / 2));
    EXPECT_NE(refusal().find(files.ca_file + ": certificate number 1 is damaged"),
              std::string::npos)
        << refusal();
    std::string many;
    for (int i = 0; i < 33; ++i)
        many += whole;
    files.ca_file = folder.write("many.pem", many);
    EXPECT_EQ(refusal(), files.ca_file + ": holds more than 32 of them");
    files.ca_file = folder.write("large.pem", std::string(5'000'000, 'x'));
    EXPECT_EQ(refusal(), files.ca_file + ": is larger than 4 MB");
}

TEST_F(TrustpointTest, TheKeyMustBeTheCertificates) {
    const Entity other = issue(KeyPair::rsa(), {.common_name = "other"}, &root);
    files.key_file = folder.write("other.key", key_pem_of(other));
    EXPECT_EQ(refusal(),
              files.key_file + ": is not the key of the first certificate in " +
                  files.certificate_file);
    files.key_file = folder.write("sealed.key", key_pem_of(own, "1234"));
    EXPECT_NE(refusal().find("sealed with a pass phrase"), std::string::npos) << refusal();
    files.key_file = folder.write("none.key", pem_of(own));
    EXPECT_NE(refusal().find(files.key_file + ": holds no private key in PEM form"),
              std::string::npos)
        << refusal();
    files.key_file.clear();
    EXPECT_EQ(refusal(), "certificate-file without key-file");
}

TEST_F(TrustpointTest, TheChainStandsInOrder) {
    files.certificate_file = folder.write("reversed.pem", pem_of(own) + pem_of(root));
    EXPECT_NE(refusal().find("certificate number 2 has not issued the one in front"),
              std::string::npos)
        << refusal();
}

TEST_F(TrustpointTest, CrlsComeInBothForms) {
    const Crl crl = make_crl(root, {});
    unsigned char* der = nullptr;
    const int length = i2d_X509_CRL(crl.get(), &der);
    files.crl_file = folder.write("der.crl", std::string(der, der + length));
    OPENSSL_free(der);
    const auto loaded = load(files);
    ASSERT_TRUE(loaded) << loaded.error().text;
    EXPECT_EQ((*loaded)->crls.front().revoked, 0U);
    files.crl_file = files.ca_file;
    EXPECT_EQ(refusal(), files.crl_file + ": holds no CRL in PEM form");
}

TEST_F(TrustpointTest, CheckFileLooksAtOne) {
    EXPECT_TRUE(check_file(FileKind::Certificates, files.ca_file));
    EXPECT_TRUE(check_file(FileKind::PrivateKey, files.key_file));
    EXPECT_TRUE(check_file(FileKind::Crls, files.crl_file));
    EXPECT_FALSE(check_file(FileKind::PrivateKey, files.ca_file));
    const Entity small = issue(KeyPair::rsa(1024), {.common_name = "small"}, &root);
    const auto refused =
        check_file(FileKind::PrivateKey, folder.write("small.key", key_pem_of(small)));
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().text.find("RSA of 2048 to 8192"), std::string::npos);
}

TEST_F(TrustpointTest, TogetherTheyAreTheEnginesCredentials) {
    const Entity other = make_ca("Other");
    const auto first = load(files);
    const auto second =
        load({.name = "TP2", .ca_file = folder.write("other.pem", pem_of(other) + pem_of(root))});
    ASSERT_TRUE(first && second);
    const ike::Credentials all = credentials_of({*first, *second}, [] { return test::kTestNow; });
    EXPECT_EQ(all.own.size(), 1U);
    EXPECT_EQ(all.authorities, (std::vector<Bytes>{root.subject(), other.subject()}))
        << "each once";
    EXPECT_NE(all.judge, nullptr);
    EXPECT_NE(choose_own(all, ike::SignatureScheme::RsaRaw, {}), nullptr);
    EXPECT_EQ(choose_own(all, ike::SignatureScheme::EcdsaP256, {}), nullptr);
    EXPECT_EQ(credentials_of({}, [] { return test::kTestNow; }).judge, nullptr);
}

TEST_F(TrustpointTest, ASetReadsAgainWhatWasReplaced) {
    TrustpointSet set;
    EXPECT_TRUE(set.update({files}));
    EXPECT_FALSE(set.update({files})) << "nothing is new";
    ASSERT_EQ(set.status().size(), 1U);
    EXPECT_EQ(set.status()[0].loaded->crls.at(0).revoked, 1U);
    folder.write("ca.crl", pem_of(make_crl(root, {&intermediate, &own})) + "\n");
    EXPECT_TRUE(set.update({files}));
    EXPECT_EQ(set.status()[0].loaded->crls.at(0).revoked, 2U);
    EXPECT_TRUE(set.update({}));
    EXPECT_TRUE(set.status().empty());
}

TEST_F(TrustpointTest, ADamagedFileLeavesWhatWasLoaded) {
    TrustpointSet set;
    set.update({files});
    folder.write("ca.crl", "half a file");
    EXPECT_TRUE(set.update({files}));
    EXPECT_NE(set.status()[0].loaded, nullptr);
    EXPECT_EQ(set.status()[0].problem, files.crl_file + ": holds no CRL in PEM form");
    EXPECT_NE(set.credentials([] { return test::kTestNow; }).judge, nullptr);
    files.ca_file = folder.path() + "/none.pem";
    EXPECT_TRUE(set.update({files}));
    EXPECT_EQ(set.status()[0].loaded, nullptr) << "another file was asked for";
}

} // namespace
} // namespace adit::pki

// SPDX-License-Identifier: Apache-2.0
#include "control/cli/show_pki.h"
#include "tests/unit/cli/show_fixture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace adit::cli {
namespace {

using namespace test;
using testing::HasSubstr;

pki::CertificateInfo own_certificate() {
    pki::CertificateInfo info;
    info.serial = "61BF09D3";
    info.issuer = {"cn=Example CA", "o=Example"};
    info.subject = {"cn=gw-a", "o=Example"};
    info.alternative_names = {"ip 192.0.2.1", "dns gw-a.example.com"};
    info.crl_points = {"http://crl.example.com/ca.crl"};
    info.not_before = "09:17:52 UTC Jun 22 2026";
    info.not_after = "09:17:52 UTC Jun 22 2027";
    info.expires = WallTime::max();
    info.usage = "General Purpose";
    info.key = "RSA 2048 bit";
    info.signature = "sha256WithRSAEncryption";
    info.sha1 = "A1";
    info.sha256 = "A256";
    return info;
}

Snapshot with_trustpoint() {
    auto loaded = std::make_shared<pki::Trustpoint>();
    pki::CertificateInfo authority = own_certificate();
    authority.serial = "01";
    authority.subject = authority.issuer;
    authority.alternative_names.clear();
    authority.crl_points.clear();
    authority.usage = "Signature";
    authority.authority = true;
    loaded->own = {own_certificate()};
    loaded->authorities = {authority};
    loaded->credential = std::make_shared<const ike::OwnCertificate>();
    loaded->crls = {
        {{"cn=Example CA", "o=Example"}, "09:00:00 UTC Nov 1 2026", "09:00:00 UTC Dec 1 2026", 3}};
    Snapshot snapshot = sample();
    snapshot.trustpoints = {{{.name = "HQ",
                              .ca_file = "/a/ca.pem",
                              .certificate_file = "/a/own.pem",
                              .crl_file = "/a/ca.crl"},
                             loaded,
                             {}}};
    return snapshot;
}

TEST(ShowPkiCertificates, AreBlocksThatReadersKnow) {
    EXPECT_EQ(show_pki_certificates(with_trustpoint(), "", CertificateForm::Plain),
              "Certificate\n"
              "  Status: Available\n"
              "  Certificate Serial Number (hex): 61BF09D3\n"
              "  Certificate Usage: General Purpose\n"
              "  Issuer: \n"
              "    cn=Example CA\n"
              "    o=Example\n"
              "  Subject: \n"
              "    Name: gw-a.example.com\n"
              "    cn=gw-a\n"
              "    o=Example\n"
              "  CRL Distribution Points: \n"
              "    http://crl.example.com/ca.crl\n"
              "  Validity Date: \n"
              "    start date: 09:17:52 UTC Jun 22 2026\n"
              "    end   date: 09:17:52 UTC Jun 22 2027\n"
              "  Associated Trustpoints: HQ\n"
              "  Storage: file:/a/own.pem\n"
              "\n"
              "CA Certificate\n"
              "  Status: Available\n"
              "  Certificate Serial Number (hex): 01\n"
              "  Certificate Usage: Signature\n"
              "  Issuer: \n"
              "    cn=Example CA\n"
              "    o=Example\n"
              "  Subject: \n"
              "    cn=Example CA\n"
              "    o=Example\n"
              "  Validity Date: \n"
              "    start date: 09:17:52 UTC Jun 22 2026\n"
              "    end   date: 09:17:52 UTC Jun 22 2027\n"
              "  Associated Trustpoints: HQ\n"
              "  Storage: file:/a/ca.pem\n");
}

TEST(ShowPkiCertificates, VerboseAddsKeysAndFingerprints) {
    const std::string text =
        show_pki_certificates(with_trustpoint(), "HQ", CertificateForm::Verbose);
    EXPECT_THAT(text, HasSubstr("    Public Key Algorithm: RSA 2048 bit\n"));
    EXPECT_THAT(text, HasSubstr("  Fingerprint SHA256: A256\n"));
    EXPECT_THAT(text, HasSubstr("    ip 192.0.2.1\n"));
    EXPECT_EQ(show_pki_certificates(with_trustpoint(), "OTHER", CertificateForm::Plain), "");
}

TEST(ShowPkiCertificates, SayWhenTheyHaveExpired) {
    Snapshot snapshot = with_trustpoint();
    auto old = std::make_shared<pki::Trustpoint>(*snapshot.trustpoints[0].loaded);
    old->own[0].expires = snapshot.wall - hours{1};
    snapshot.trustpoints[0].loaded = old;
    EXPECT_THAT(show_pki_certificates(snapshot, "", CertificateForm::Plain),
                HasSubstr("  Status: Expired\n  Certificate Serial Number (hex): 61BF09D3\n"));
}

TEST(ShowPkiTrustpoints, NameTheirCaAndWhatIsWrong) {
    Snapshot snapshot = with_trustpoint();
    EXPECT_EQ(show_pki_trustpoints(snapshot),
              "Trustpoint HQ:\n"
              "    Subject Name: \n"
              "    cn=Example CA\n"
              "    o=Example\n"
              "          Serial Number (hex): 01\n"
              "    Certificate configured.\n"
              "\n");
    snapshot.trustpoints[0].problem = "/a/ca.crl: is empty";
    EXPECT_THAT(show_pki_trustpoints(snapshot), HasSubstr("    Problem: /a/ca.crl: is empty\n"));
    snapshot.trustpoints[0].loaded = nullptr;
    EXPECT_EQ(show_pki_trustpoints(snapshot),
              "Trustpoint HQ:\n    Problem: /a/ca.crl: is empty\n\n");
}

TEST(ShowPkiCrls, PrintTheirDates) {
    EXPECT_EQ(show_pki_crls(with_trustpoint()),
              "CRL Issuer Name: \n"
              "    cn=Example CA\n"
              "    o=Example\n"
              "    LastUpdate: 09:00:00 UTC Nov 1 2026\n"
              "    NextUpdate: 09:00:00 UTC Dec 1 2026\n"
              "    Revoked certificates: 3\n"
              "    Retrieved from: file:/a/ca.crl\n\n");
}

} // namespace
} // namespace adit::cli

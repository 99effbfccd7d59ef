// SPDX-License-Identifier: Apache-2.0
// crypto pki trustpoint ...: whose certificates are trusted, and our own. Files instead of
// enrolment: what a router fetches or is sent over a terminal, an operator here puts into a file.
#include "control/cli/grammar.h"
#include "control/config/editor.h"
#include "control/pki/trustpoint.h"

namespace adit::cli {

namespace {

using config::Editor;
using config::Trustpoint;
using pki::FileKind;

Status trustpoint(Editor& editor, const Match& match, Sign sign) {
    const std::string name = match.text(ArgKind::Name);
    if (sign == Sign::No) {
        editor.edit().trustpoints.erase(name);
        return {};
    }
    editor.edit().trustpoints.try_emplace(name);
    editor.enter(Mode::Trustpoint, name);
    editor.define("trustpoint " + name);
    return {};
}

Trustpoint& current(Editor& editor) {
    return editor.edit().trustpoints[editor.object()];
}

/// An operator hears at once what is wrong with a file. A text is taken as it stands: the file may
/// come later, and a line must not vanish from the configuration because it is missing today.
Status set_file(Editor& editor, std::string& to, FileKind kind, const Match& match, Sign sign) {
    if (sign == Sign::No) {
        to.clear();
        return {};
    }
    const std::string path = match.text(ArgKind::Name);
    if (path.front() != '/')
        return fail(ErrorCode::Invalid, path + ": write the whole path, from / on");
    if (editor.source() == config::Source::Operator)
        TRY_VOID(pki::check_file(kind, path));
    to = path;
    return {};
}

Status ca_file(Editor& editor, const Match& match, Sign sign) {
    return set_file(editor, current(editor).ca_file, FileKind::Certificates, match, sign);
}

Status certificate_file(Editor& editor, const Match& match, Sign sign) {
    return set_file(editor, current(editor).certificate_file, FileKind::Certificates, match, sign);
}

Status key_file(Editor& editor, const Match& match, Sign sign) {
    return set_file(editor, current(editor).key_file, FileKind::PrivateKey, match, sign);
}

Status crl_file(Editor& editor, const Match& match, Sign sign) {
    return set_file(editor, current(editor).crl_file, FileKind::Crls, match, sign);
}

Status revocation_check(Editor& editor, const Match& match, Sign sign) {
    current(editor).check_revocation = sign == Sign::No || match.has("crl");
    return {};
}

/// Whatever it says is so already.
Status nothing(Editor&, const Match&, Sign) {
    return {};
}

constexpr const char* kInTheCertificate = "the certificate in the file says it";
constexpr const char* kFromFiles =
    "certificates come from files; write ca-file, certificate-file and key-file";

constexpr Row kRows[] = {
    {Mode::Config,
     "crypto {pki|ca} trustpoint NAME",
     kSame,
     "Define a trustpoint: a CA, and our own certificate under it",
     trustpoint},

    {Mode::Trustpoint,
     "ca-file NAME",
     "ca-file [NAME]",
     "Name the PEM file of the CA certificates to trust",
     ca_file},
    {Mode::Trustpoint,
     "certificate-file NAME",
     "certificate-file [NAME]",
     "Name the PEM file of our own certificate, with intermediates behind it",
     certificate_file},
    {Mode::Trustpoint,
     "key-file NAME",
     "key-file [NAME]",
     "Name the PEM file of our private key",
     key_file},
    {Mode::Trustpoint,
     "crl-file NAME",
     "crl-file [NAME]",
     "Name the file of the CAs' revocation lists",
     crl_file},
    {Mode::Trustpoint,
     "revocation-check {crl|none}",
     "revocation-check [crl|none]",
     "Whether a peer's certificate must stand on no revocation list",
     revocation_check},
    {Mode::Trustpoint,
     "revocation-check {crl|ocsp|none} {crl|ocsp|none} [crl|ocsp|none]",
     nullptr,
     "Several ways in turn",
     Refused{"A way to fall back on is not supported", "write crl or none"}},
    {Mode::Trustpoint,
     "revocation-check ocsp",
     nullptr,
     "Ask an OCSP server",
     Refused{"OCSP is not supported", "write crl or none"}},
    {Mode::Trustpoint,
     "enrollment {pem|terminal [pem]}",
     "enrollment [LINE]",
     "Enrol by hand: certificates come from files",
     nothing},
    {Mode::Trustpoint,
     "enrollment {url|mode|profile|retry|command|credential|http-proxy|selfsigned} [LINE]",
     nullptr,
     "Enrol over the network",
     Ignored{kFromFiles}},
    {Mode::Trustpoint,
     "{auto-enroll|regenerate|password|serial-number|ip-address|usage|vrf|source|storage} [LINE]",
     kSame,
     "Details of enrolment",
     Ignored{kFromFiles}},
    {Mode::Trustpoint,
     "{subject-name|subject-alt-name|fqdn|hash} LINE",
     "{subject-name|subject-alt-name|fqdn|hash} [LINE]",
     "What a request would hold",
     Ignored{kInTheCertificate}},
    {Mode::Trustpoint,
     "{rsakeypair|eckeypair} NAME [LINE]",
     "{rsakeypair|eckeypair} [LINE]",
     "Name the key pair",
     Ignored{"the key comes from key-file"}},
    {Mode::Trustpoint,
     "{crl|chain-validation|primary|root|match|authorization} [LINE]",
     kSame,
     "Details of validation",
     Ignored{"every certificate below the CA file's is checked, by the CRL file"}},
};

} // namespace

std::span<const Row> config_pki_rows() {
    return kRows;
}

} // namespace adit::cli

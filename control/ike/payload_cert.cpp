// SPDX-License-Identifier: Apache-2.0
#include "control/ike/payload_cert.h"

namespace adit::ike {

namespace {

Status check_length(const char* what, std::size_t length, std::size_t least, std::size_t most) {
    if (length >= least && length <= most)
        return {};
    return fail(ErrorCode::Malformed,
                std::string{what} + " of " + std::to_string(length) + " octets");
}

} // namespace

Result<CertificateBody> parse_certificate(ByteView body) {
    Reader reader{body};
    CertificateBody certificate;
    certificate.encoding = from_wire<CertificateEncoding>(TRY(reader.u8()));
    certificate.data = to_bytes(reader.rest());
    // RFC 4945 3.3.3 leaves these two for IKE; CRLs come from the administrator, never from a peer.
    if (certificate.encoding != CertificateEncoding::X509Signature &&
        certificate.encoding != CertificateEncoding::Pkcs7X509)
        return fail(ErrorCode::Unsupported,
                    "certificate encoding " + name(certificate.encoding) + " is not read");
    TRY_VOID(check_length("certificate", certificate.data.size(), 1, kMaxCertificateBytes));
    return certificate;
}

Bytes build_certificate(const CertificateBody& certificate) {
    Writer writer;
    writer.u8(to_wire(certificate.encoding));
    writer.append(certificate.data);
    return std::move(writer).take();
}

Result<Bytes> parse_certificate_request(ByteView body) {
    Reader reader{body};
    const auto encoding = from_wire<CertificateEncoding>(TRY(reader.u8()));
    if (encoding != CertificateEncoding::X509Signature &&
        encoding != CertificateEncoding::Pkcs7X509)
        return fail(ErrorCode::Unsupported, "request for " + name(encoding) + " is not answered");
    Bytes authority = to_bytes(reader.rest());
    TRY_VOID(check_length("certificate authority", authority.size(), 0, kMaxAuthorityBytes));
    return authority;
}

Bytes build_certificate_request(ByteView authority) {
    Writer writer;
    writer.u8(to_wire(CertificateEncoding::X509Signature));
    writer.append(authority);
    return std::move(writer).take();
}

Result<Bytes> parse_signature(ByteView body) {
    TRY_VOID(check_length("signature", body.size(), 1, kMaxSignatureBytes));
    return to_bytes(body);
}

} // namespace adit::ike

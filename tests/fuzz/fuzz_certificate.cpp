// SPDX-License-Identifier: Apache-2.0
// What a peer sends to prove its name: a chain of certificate payloads, and its name. The first
// octet says how many payloads follow, each with two octets of length, then the identification
// payload. All the way through parsing, chain building and the comparison of names.
#include "control/ike/payload_cert.h"
#include "control/pki/authorities.h"
#include "control/pki/certificate_info.h"
#include "control/pki/peer_judge.h"

namespace {

using namespace adit;

/// A root that nobody holds a key of: what matters is that chains are looked for.
const ike::PeerJudge& judge() {
    static const auto made =
        pki::make_judge({std::make_shared<const pki::Authorities>("FUZZ",
                                                                  std::vector<pki::Certificate>{},
                                                                  std::vector<pki::Crl>{},
                                                                  pki::Revocation::None)},
                        [] { return WallTime{std::chrono::seconds{1'800'000'000}}; });
    return *made;
}

void look_at(const ike::CertificateBody& body) {
    if (const auto certificate = pki::certificate_of_der(body.data)) {
        (void)pki::describe(certificate->get());
        (void)pki::addresses_in(certificate->get());
    }
}

Result<ike::PeerProof> read_proof(Reader& reader) {
    ike::PeerProof proof;
    const std::uint8_t count = TRY(reader.u8());
    for (std::uint8_t i = 0; i < count; ++i) {
        const std::uint16_t length = TRY(reader.u16());
        const ByteView body = TRY(reader.take(length));
        if (auto certificate = ike::parse_certificate(body)) {
            ENSURE(ike::build_certificate(*certificate) == to_bytes(body));
            proof.certificates.push_back(std::move(*certificate));
        }
        (void)ike::parse_certificate_request(body);
        (void)ike::parse_signature(body);
    }
    proof.identity = TRY(ike::parse_identity(reader.rest()));
    return proof;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Reader reader{ByteView{data, size}};
    auto proof = read_proof(reader);
    if (!proof)
        return 0;
    for (const ike::CertificateBody& body : proof->certificates)
        look_at(body);
    proof->hash = Bytes(32, 1);
    proof->signature = Bytes(64, 2);
    ENSURE(judge().judge(*proof).fault.has_value());
    return 0;
}

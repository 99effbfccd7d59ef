// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/seal.h"

namespace adit::sim {

namespace {

Bytes bytes_of(const std::string& text) {
    return to_bytes(as_bytes(text));
}

Bytes signature_of(const Bytes& owner, ByteView hash) {
    Bytes octets = to_bytes(hash);
    octets.insert(octets.end(), owner.begin(), owner.end());
    return octets;
}

class Seal final : public ike::SigningKey {
  public:
    explicit Seal(Bytes owner) : owner_(std::move(owner)) {}

    [[nodiscard]] ike::SignatureScheme scheme() const override {
        return ike::SignatureScheme::RsaRaw;
    }

    [[nodiscard]] Result<Bytes> sign(ByteView hash) const override {
        return signature_of(owner_, hash);
    }

  private:
    Bytes owner_;
};

class Notary final : public ike::PeerJudge {
  public:
    [[nodiscard]] ike::Judgement judge(const ike::PeerProof& proof) const override {
        if (proof.certificates.empty())
            return {ike::CertificateFault::NoCertificate, "no certificate"};
        const Bytes& owner = proof.certificates.front().data;
        if (owner != bytes_of(to_string(proof.identity)))
            return {ike::CertificateFault::WrongIdentity, "another name"};
        if (proof.signature != signature_of(owner, proof.hash))
            return {ike::CertificateFault::BadSignature, "another HASH"};
        return {.trustpoint = "CA"};
    }
};

} // namespace

ike::Credentials sealed_by(Ipv4Address owner) {
    const Bytes name = bytes_of(to_string(owner));
    auto own = std::make_shared<ike::OwnCertificate>();
    own->trustpoint = "CA";
    own->key = std::make_shared<const Seal>(name);
    own->chain = {name};
    own->subject = name;
    own->addresses = {owner};
    own->issuers = {bytes_of("CA")};
    return {{std::move(own)}, {bytes_of("CA")}, std::make_shared<const Notary>()};
}

} // namespace adit::sim

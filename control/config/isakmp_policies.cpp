// SPDX-License-Identifier: Apache-2.0
#include "control/config/isakmp_policies.h"

namespace adit::config {

namespace {

constexpr std::uint32_t kFirstDefault = 65'507; // behind all that can be written

IsakmpPolicies make_defaults() {
    using enum AuthenticationMethod;
    using enum ike::CipherAlgorithm;
    using enum ike::HashAlgorithm;
    using enum ike::Group;

    struct Suite {
        ike::CipherAlgorithm encryption;
        ike::HashAlgorithm hash;
        AuthenticationMethod authentication;
        ike::Group group;
    };

    // RFC 4754 3: with ecdsa-sig the hash chooses the curve of the key, so there is one for each.
    constexpr Suite kSuites[] = {
        {AesCbc256, Sha384, EcdsaSig, Ecp384},
        {AesCbc256, Sha256, EcdsaSig, Ecp256},
        {AesCbc256, Sha256, RsaSig, Ecp256},
        {AesCbc256, Sha256, RsaSig, Modp2048},
        {AesCbc128, Sha256, RsaSig, Modp2048},
        {AesCbc256, Sha256, PreShare, Ecp256},
        {AesCbc256, Sha256, PreShare, Modp2048},
        {AesCbc128, Sha256, PreShare, Modp2048},
    };
    IsakmpPolicies policies;
    std::uint32_t priority = kFirstDefault;
    for (const Suite& suite : kSuites)
        policies.emplace(priority++,
                         IsakmpPolicy{.encryption = suite.encryption,
                                      .hash = suite.hash,
                                      .authentication = suite.authentication,
                                      .group = suite.group,
                                      .encryption_configured = true});
    return policies;
}

} // namespace

const IsakmpPolicies& default_isakmp_policies() {
    static const IsakmpPolicies kPolicies = make_defaults();
    return kPolicies;
}

const IsakmpPolicies& isakmp_policies_in_force(const Config& config) {
    return has_default_isakmp_policies(config) ? default_isakmp_policies() : config.isakmp_policies;
}

bool has_default_isakmp_policies(const Config& config) {
    return config.isakmp_policies.empty() && config.isakmp_default_policies;
}

} // namespace adit::config

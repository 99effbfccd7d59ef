// SPDX-License-Identifier: Apache-2.0
#include "control/config/check_parts.h"
#include "control/config/isakmp_policies.h"
#include "control/config/names.h"

namespace adit::config {

namespace {

class Phase1Part : Part {
  public:
    using Part::Part;

    void run() {
        check_trustpoints();
        check_policies();
        check_profiles();
        check_aggressive_mode();
    }

  private:
    void check_trustpoints() {
        for (const auto& [name, trustpoint] : config_.trustpoints) {
            const std::string origin = "trustpoint " + name;
            const std::string what = "crypto pki trustpoint " + name;
            if (trustpoint.certificate_file.empty() != trustpoint.key_file.empty())
                add(Severity::Error,
                    origin,
                    what + " has " +
                        (trustpoint.key_file.empty() ? "a certificate-file and no key-file"
                                                     : "a key-file and no certificate-file"),
                    "write both");
            if (trustpoint.check_revocation && !trustpoint.ca_file.empty() &&
                trustpoint.crl_file.empty())
                add(Severity::Error,
                    origin,
                    what + " checks revocation and has no crl-file: every peer would be refused",
                    "write crl-file, or revocation-check none");
        }
    }

    void check_policies() {
        for (const auto& [priority, policy] : config_.isakmp_policies)
            check_policy(priority, policy);
        if (isakmp_policies_in_force(config_).empty() &&
            (!config_.crypto_maps.empty() || !config_.ipsec_profiles.empty()))
            add(Severity::Error,
                {},
                "there is no crypto isakmp policy, and the built-in ones are switched off",
                "write crypto isakmp policy 10 with encr, hash, authentication and group, or "
                "crypto isakmp default policy");
    }

    void check_policy(std::uint32_t priority, const IsakmpPolicy& policy) {
        const std::string origin = "policy " + std::to_string(priority);
        const std::string what = "crypto isakmp policy " + std::to_string(priority);
        if (!policy.encryption_configured)
            add(Severity::Error,
                origin,
                what + " has no encr line; the default, DES, is not supported",
                "write encr aes 256");
        check_authentication(origin, what, policy);
        if (policy.group == ike::Group::Modp768 || policy.group == ike::Group::Modp1024)
            add(Severity::Warning,
                origin,
                what + " uses group " + group_number(policy.group) + ", which can be broken",
                "write group 14 or above");
        if (policy.hash == ike::HashAlgorithm::Md5)
            add(Severity::Warning, origin, what + " uses MD5", "write hash sha256");
    }

    void check_authentication(const std::string& origin,
                              const std::string& what,
                              const IsakmpPolicy& policy) {
        if (policy.authentication == AuthenticationMethod::PreShare)
            return;
        const std::string method = authentication_name(policy.authentication);
        if (!facts_.has_certificate() || !facts_.has_authority())
            add(Severity::Error,
                origin,
                what + " authenticates by " + method +
                    (policy.authentication == AuthenticationMethod::RsaSig ? " (the default)"
                                                                           : "") +
                    ", and no crypto pki trustpoint has " +
                    (facts_.has_authority() ? "a certificate-file" : "a ca-file"),
                "write authentication pre-share, or a trustpoint with ca-file, certificate-file "
                "and key-file");
        const bool has_curve = policy.hash == ike::HashAlgorithm::Sha256 ||
                               policy.hash == ike::HashAlgorithm::Sha384 ||
                               policy.hash == ike::HashAlgorithm::Sha512;
        // RFC 4754 3: the hash chooses the curve.
        if (policy.authentication == AuthenticationMethod::EcdsaSig && !has_curve)
            add(Severity::Error,
                origin,
                what + " authenticates by ecdsa-sig with a hash that belongs to no curve",
                "write hash sha256 for keys on P-256, sha384 for P-384, sha512 for P-521");
    }

    void check_profiles() {
        for (const auto& [name, profile] : config_.isakmp_profiles) {
            const std::string origin = "isakmp profile " + name;
            const std::string what = "crypto isakmp profile " + name;
            if (profile.access != ClientAccess{})
                check_access(facts_, findings_, what, origin + " client", "", profile.access);
            if (profile.matches.empty())
                add(Severity::Warning,
                    origin,
                    what + " matches nobody",
                    "write match identity below it");
            for (const std::string& keyring : profile.keyrings)
                if (!config_.keyrings.contains(keyring))
                    add(Severity::Error,
                        origin + " keyring " + keyring,
                        what + ": there is no keyring " + keyring,
                        "write crypto keyring " + keyring);
        }
        for (const auto& [address, peer] : config_.isakmp_peers)
            if (peer.key == nullptr)
                add(Severity::Warning,
                    "isakmp peer " + to_string(address),
                    "crypto isakmp peer " + to_string(address) + " has no password and no effect",
                    "write set aggressive-mode password");
    }

    /// CVE-2018-5389: whoever asks, or listens, can try out keys at leisure.
    void check_aggressive_mode() {
        if (config_.aggressive_mode == ike::AggressiveMode::Disabled)
            return;
        const auto warn = [&](const std::string& origin, const std::string& what) {
            add(Severity::Warning,
                origin,
                what + " has aggressive mode answered with pre-shared keys: its messages let "
                       "anyone try out keys offline (CVE-2018-5389)",
                "use certificates, or a random key of at least 20 characters");
        };
        if (config_.aggressive_mode == ike::AggressiveMode::Enabled)
            warn("isakmp aggressive-mode", "crypto isakmp aggressive-mode enable");
        facts_.for_each_key([&](const IsakmpKey& key) {
            if (Facts::has_name(key))
                warn("key " + key.hostname, "the key for the name " + key.hostname);
        });
        for (const auto& [name, group] : config_.client_groups)
            if (group.key != nullptr)
                warn("client group " + name, "crypto isakmp client configuration group " + name);
        for (const auto& [address, peer] : config_.isakmp_peers)
            if (peer.key != nullptr)
                warn("isakmp peer " + to_string(address),
                     "crypto isakmp peer " + to_string(address));
    }
};

} // namespace

void check_phase1(const Facts& facts, Findings& findings) {
    Phase1Part{facts, findings}.run();
}

} // namespace adit::config

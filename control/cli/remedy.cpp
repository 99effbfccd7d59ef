// SPDX-License-Identifier: Apache-2.0
#include "control/cli/remedy.h"

#include "control/cli/show_text.h"
#include "control/config/names.h"
#include "control/config/render.h"

#include <algorithm>
#include <cctype>

namespace adit::cli {

namespace {

/// "aes256" of "aes 256": without blanks, dashes and the key word.
std::string squeezed(std::string text) {
    std::erase_if(text, [](unsigned char c) { return c == ' ' || c == '-'; });
    std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::tolower(c); });
    return text;
}

std::string swan_name(ike::CipherAlgorithm cipher) {
    const std::string name = squeezed(config::encryption_name(cipher));
    return name == "aes" ? "aes128" : name;
}

std::string swan_name(ike::HashAlgorithm hash) {
    return hash == ike::HashAlgorithm::Sha1 ? "sha1" : config::hash_name(hash);
}

/// "modp2048", "ecp256".
std::string swan_name(ike::Group group) {
    const auto* known = std::ranges::find(ike::kGroups, group, &ike::GroupInfo::group);
    return known == ike::kGroups.end() ? "group" + config::group_number(group)
                                       : squeezed(known->name);
}

std::string swan_name(EspCipher cipher, EspMac mac) {
    static constexpr const char* kCiphers[] = {
        "null", "aes128", "aes192", "aes256", "aes128gcm16", "aes192gcm16", "aes256gcm16", "3des"};
    static constexpr const char* kMacs[] = {"", "-sha1", "-sha256", "-sha384", "-sha512", "-md5"};
    return std::string{kCiphers[static_cast<std::size_t>(cipher)]} +
           kMacs[static_cast<std::size_t>(mac)];
}

void for_keys(Diagnosis& to) {
    const std::string local = to_string(to.local);
    to.here = "crypto isakmp key <hidden> address " + to_string(to.peer.address);
    to.there = {"IOS: crypto isakmp key KEY address " + local,
                "ASA: tunnel-group " + local + " ipsec-attributes / ikev1 pre-shared-key KEY",
                "strongSwan: secrets { ike-1 { id = " + local + " / secret = KEY } }"};
    to.next = "type the key again at both ends; blanks behind it count";
}

void for_policies(Diagnosis& to, const config::Config& config) {
    if (config.isakmp_policies.empty())
        return;
    const auto& [priority, policy] = *config.isakmp_policies.begin();
    const std::string words = std::string{"encr "} + config::encryption_name(policy.encryption) +
                              " / hash " + config::hash_name(policy.hash) + " / authentication " +
                              config::authentication_name(policy.authentication) + " / group " +
                              config::group_number(policy.group);
    const std::string number = std::to_string(priority);
    to.here = "crypto isakmp policy " + number + " / " + words;
    to.there = {"IOS: crypto isakmp policy " + number + " / " + words,
                "ASA: crypto ikev1 policy " + number + " / encryption " +
                    swan_name(policy.encryption) + " / hash " + config::hash_name(policy.hash) +
                    " / authentication " + config::authentication_name(policy.authentication) +
                    " / group " + config::group_number(policy.group),
                "strongSwan: proposals = " + swan_name(policy.encryption) + '-' +
                    swan_name(policy.hash) + '-' + swan_name(policy.group)};
    to.next = "give both ends one policy in common, then: test crypto peer " +
              to_string(to.peer.address) + " initiate";
}

/// How SAs of the flow are made: the entry's own words, or the tunnel's profile.
const config::IpsecProfile* terms_of(const Snapshot& snapshot, const FlowStatus& flow) {
    const config::Config& config = *snapshot.config;
    if (const auto map = config.crypto_maps.find(flow.map_name); map != config.crypto_maps.end())
        if (const auto entry = map->second.find(flow.map_sequence); entry != map->second.end())
            return &entry->second;
    const auto tunnel = config.interfaces.find(flow.interface);
    if (tunnel == config.interfaces.end())
        return nullptr;
    const auto profile = config.ipsec_profiles.find(tunnel->second.tunnel.profile);
    return profile == config.ipsec_profiles.end() ? nullptr : &profile->second;
}

void for_transforms(Diagnosis& to, const Snapshot& snapshot, const FlowStatus& flow) {
    const config::IpsecProfile* terms = terms_of(snapshot, flow);
    if (terms == nullptr || terms->transform_sets.empty())
        return;
    const auto set = snapshot.config->transform_sets.find(terms->transform_sets.front());
    if (set == snapshot.config->transform_sets.end())
        return;
    const std::string words = config::transform_text(set->second);
    const std::string pfs =
        terms->pfs ? "set pfs group" + config::group_number(*terms->pfs) : "no set pfs";
    to.here = "crypto ipsec transform-set " + set->first + ' ' + words + " / " + pfs;
    to.there = {"IOS: crypto ipsec transform-set NAME " + words + " / " + pfs,
                "ASA: crypto ipsec ikev1 transform-set NAME " + words + " / " + pfs,
                "strongSwan: esp_proposals = " + swan_name(set->second.cipher, set->second.mac) +
                    (terms->pfs ? '-' + swan_name(*terms->pfs) : std::string{})};
    to.next = "give both ends one transform set and the same PFS group";
}

/// The access list line of the flow, and what mirrors it.
void for_access_lists(Diagnosis& to, const Snapshot& snapshot, const FlowStatus& flow) {
    const auto list = snapshot.config->access_lists.find(flow.acl_name);
    if (list == snapshot.config->access_lists.end())
        return;
    const auto& lines = list->second.lines;
    const auto line = std::ranges::find(lines, flow.flow.acl_sequence, &config::AclLine::sequence);
    if (line == lines.end())
        return;
    config::AclLine mirror = *line;
    std::swap(mirror.source, mirror.destination);
    std::swap(mirror.source_port, mirror.destination_port);
    const std::string ours = config::acl_line_text(*line);
    const std::string theirs = config::acl_line_text(mirror);
    to.here = "access list " + flow.acl_name + ": " + ours;
    to.there = {"IOS: " + theirs,
                "ASA: access-list NAME extended " + theirs + " (with masks in place of wildcards)",
                "strongSwan: local_ts = " + flow_words(flow.flow.selector.remote) +
                    " / remote_ts = " + flow_words(flow.flow.selector.local)};
    to.next = "make the two lists mirror images, line by line";
}

} // namespace

void add_remedy(Diagnosis& diagnosis, const Snapshot& snapshot, const FlowStatus& flow) {
    if (diagnosis.code == "psk-mismatch")
        for_keys(diagnosis);
    else if (diagnosis.code == "p1-policy" || diagnosis.code == "p1-notify")
        for_policies(diagnosis, *snapshot.config);
    else if (diagnosis.code == "p2-transform")
        for_transforms(diagnosis, snapshot, flow);
    else if (diagnosis.code == "p2-proxy" || diagnosis.code == "clear-text")
        for_access_lists(diagnosis, snapshot, flow);
    else if (diagnosis.code == "p1-identity")
        diagnosis.next = "compare what the evidence names with match identity and the peer's own "
                         "identity setting";
    else if (diagnosis.code == "cert")
        diagnosis.next = "show crypto pki certificates, show crypto pki crls, show clock: here and "
                         "there";
    if (diagnosis.next.empty())
        diagnosis.next = "show crypto isakmp history peer " + to_string(diagnosis.peer.address);
}

} // namespace adit::cli

// SPDX-License-Identifier: Apache-2.0
// crypto isakmp ...: phase-1 policies, pre-shared keys, keepalives.
#include "control/cli/grammar.h"
#include "control/config/editor.h"
#include "control/config/names.h"

#include <algorithm>

namespace adit::cli {

namespace {

using config::AuthenticationMethod;
using config::Editor;
using config::IsakmpPolicy;

Status policy(Editor& editor, const Match& match, Sign sign) {
    const std::uint32_t priority = match.number();
    if (sign == Sign::No) {
        editor.edit().isakmp_policies.erase(priority);
        return {};
    }
    editor.edit().isakmp_policies.try_emplace(priority);
    editor.enter(Mode::Isakmp, {}, priority);
    editor.define("policy " + std::to_string(priority));
    return {};
}

IsakmpPolicy& current(Editor& editor) {
    return editor.edit().isakmp_policies[editor.object_number()];
}

Status encryption(Editor& editor, const Match& match, Sign sign) {
    IsakmpPolicy& policy = current(editor);
    policy.encryption_configured = sign == Sign::Set;
    if (sign == Sign::No)
        policy.encryption = IsakmpPolicy{}.encryption;
    else if (match.has("3des"))
        policy.encryption = ike::CipherAlgorithm::TripleDesCbc;
    else if (match.has("256"))
        policy.encryption = ike::CipherAlgorithm::AesCbc256;
    else if (match.has("192"))
        policy.encryption = ike::CipherAlgorithm::AesCbc192;
    else
        policy.encryption = ike::CipherAlgorithm::AesCbc128;
    return {};
}

Status hash(Editor& editor, const Match& match, Sign sign) {
    IsakmpPolicy& policy = current(editor);
    policy.hash = IsakmpPolicy{}.hash;
    for (const ike::HashInfo& info : ike::kHashes)
        if (sign == Sign::Set && match.has(config::hash_name(info.hash)))
            policy.hash = info.hash;
    return {};
}

Status authentication(Editor& editor, const Match&, Sign sign) {
    current(editor).authentication =
        sign == Sign::Set ? AuthenticationMethod::PreShare : IsakmpPolicy{}.authentication;
    return {};
}

Status group(Editor& editor, const Match& match, Sign sign) {
    IsakmpPolicy& policy = current(editor);
    if (sign == Sign::No) {
        policy.group = IsakmpPolicy{}.group;
        return {};
    }
    const Word* word = match.after("group");
    const auto number = static_cast<std::uint32_t>(std::stoul(word->text));
    const auto group = config::parse_group(number);
    if (!group)
        return fail(ErrorCode::Unsupported, "Group " + word->text + " is not supported");
    policy.group = *group;
    return {};
}

Status lifetime(Editor& editor, const Match& match, Sign sign) {
    current(editor).lifetime_seconds =
        sign == Sign::Set ? match.number() : IsakmpPolicy{}.lifetime_seconds;
    return {};
}

Status check_key(const Match& match) {
    if (match.words()[3].text == "6")
        return fail(ErrorCode::Unsupported,
                    "A key of type 6 is sealed with the master key of the router it comes from; "
                    "write it in clear (type 0)");
    if (match.text(ArgKind::Name) == "<hidden>")
        return fail(ErrorCode::Invalid,
                    "This key was hidden when the text was printed; write the key itself");
    return {};
}

Status key(Editor& editor, const Match& match, Sign sign) {
    const Ipv4Address address = match.address();
    const Ipv4Address mask =
        match.argument(ArgKind::Mask) == nullptr ? Ipv4Address{~0U} : match.address(ArgKind::Mask);
    const Ipv4Prefix prefix{Ipv4Address{address.value & mask.value}, TRY(mask_length(mask))};
    auto& keys = editor.edit().isakmp_keys;
    const auto known = std::find_if(keys.begin(), keys.end(), [&](const config::IsakmpKey& other) {
        return other.address == prefix;
    });
    if (sign == Sign::No) {
        if (known != keys.end())
            keys.erase(known);
        return {};
    }
    TRY_VOID(check_key(match));
    const std::string text = match.text(ArgKind::Name);
    config::IsakmpKey made{
        prefix, std::make_shared<const SecretBuffer>(as_bytes(text)), match.has("no-xauth")};
    editor.define("key " + to_string(prefix));
    if (known == keys.end()) {
        keys.push_back(std::move(made));
        return {};
    }
    if (!(*known->key == *made.key))
        editor.warn("this replaces another key for " + to_string(prefix));
    *known = std::move(made);
    return {};
}

Status keepalive(Editor& editor, const Match& match, Sign sign) {
    if (sign == Sign::No) {
        editor.edit().keepalive.reset();
        return {};
    }
    config::Keepalive keepalive{.interval_seconds = match.number()};
    if (match.argument(ArgKind::Number, 1) != nullptr)
        keepalive.retry_seconds = match.number(1);
    keepalive.periodic = match.has("periodic");
    editor.edit().keepalive = keepalive;
    return {};
}

Status nat_keepalive(Editor& editor, const Match& match, Sign sign) {
    editor.edit().nat_keepalive_seconds =
        sign == Sign::Set ? match.number() : config::Config{}.nat_keepalive_seconds;
    return {};
}

/// The line says what is so anyway.
Status nothing(Editor&, const Match&, Sign) {
    return {};
}

Status enable(Editor&, const Match&, Sign sign) {
    if (sign == Sign::No)
        return fail(
            ErrorCode::Unsupported,
            "ISAKMP is on wherever a crypto map is applied; take the map off the interface");
    return {};
}

constexpr Row kRows[] = {
    {Mode::Config,
     "crypto isakmp policy <1-10000>", kSame,
     "Define a phase-1 policy; the lowest number is offered first", policy},
    {Mode::Config,
     "crypto isakmp key [0|6] NAME address A.B.C.D [MASK] [no-xauth]", kSame,
     "Set the pre-shared key for a peer or a network of peers", key},
    {Mode::Config,
     "crypto isakmp keepalive <10-3600> [<2-60>] [periodic|on-demand]", "crypto isakmp keepalive [<10-3600> [<2-60>] [periodic|on-demand]]",
     "Ask peers for a sign of life (RFC 3706)", keepalive},
    {Mode::Config,
     "crypto isakmp nat keepalive <5-3600>", "crypto isakmp nat keepalive [<5-3600>]",
     "Set the interval that keeps NAT mappings open", nat_keepalive},
    {Mode::Config,
     "crypto isakmp identity address", kSame,
     "Identify ourselves by address", nothing},
    {Mode::Config,
     "crypto isakmp identity {hostname|dn|fqdn NAME}", nullptr,
     "Identify ourselves by name", Refused{"Only identities by address are supported"}},
    {Mode::Config, "crypto isakmp enable", kSame, "Switch ISAKMP on", enable},
    {Mode::Config,
     "crypto isakmp aggressive-mode disable", nullptr,
     "Refuse aggressive mode", Ignored{"aggressive mode is never answered"}},
    {Mode::Config,
     "crypto isakmp invalid-spi-recovery", kSame,
     "Start a negotiation when an unknown SPI arrives", Ignored{"an unknown SPI starts no negotiation; dead peers are found by keepalives"}},
    {Mode::Config,
     "crypto isakmp fragmentation", kSame,
     "Fragment ISAKMP messages", Ignored{"IKE fragmentation is not offered; messages are fragmented by IP"}},
    {Mode::Config,
     "crypto isakmp key [0|6] NAME hostname NAME [no-xauth]", kSame,
     "Set the pre-shared key for a peer by name", Refused{"Keys by host name are not supported", "write the peer's address"}},
    {Mode::Config,
     "crypto isakmp profile NAME [LINE]", kSame,
     "Define an ISAKMP profile", Refused{"ISAKMP profiles are not supported", "use crypto isakmp key ... address"},
     Privilege::Privileged,
     true},
    {Mode::Config,
     "crypto isakmp peer LINE", kSame,
     "Attributes of one peer", Refused{"ISAKMP peers with attributes are not supported"},
     Privilege::Privileged,
     true},
    {Mode::Config,
     "crypto isakmp client configuration LINE", kSame,
     "Remote-access groups", Refused{"Remote access is not supported"},
     Privilege::Privileged,
     true},
    {Mode::Config,
     "crypto keyring NAME [vrf NAME]", kSame,
     "Define a keyring", Refused{"Keyrings are not supported", "use crypto isakmp key ... address"},
     Privilege::Privileged,
     true},

    {Mode::Isakmp,
     "{encr|encryption} {3des|aes [128|192|256]}", "{encr|encryption} [3des|des|aes [128|192|256]]",
     "Set the cipher", encryption},
    {Mode::Isakmp,
     "{encr|encryption} des", nullptr,
     "Single DES", Refused{"DES is not supported: its 56-bit keys are found in a day", "use encr aes 256"}},
    {Mode::Isakmp,
     "hash {md5|sha|sha256|sha384|sha512}", "hash [md5|sha|sha256|sha384|sha512]",
     "Set the hash, also for the key derivation", hash},
    {Mode::Isakmp,
     "authentication pre-share", "authentication [pre-share|rsa-sig|rsa-encr|ecdsa-sig]",
     "Authenticate by pre-shared key", authentication},
    {Mode::Isakmp,
     "authentication {rsa-sig|rsa-encr|ecdsa-sig}", nullptr,
     "Authenticate by certificate", Refused{"Only pre-shared keys are supported", "use authentication pre-share"}},
    {Mode::Isakmp,
     "group {1|2|5|14|15|16|17|18|19|20|21|24}", "group [<1-30>]",
     "Set the Diffie-Hellman group", group},
    {Mode::Isakmp, "lifetime <60-86400>", "lifetime [<60-86400>]", "Set the lifetime", lifetime},
};

} // namespace

std::span<const Row> config_isakmp_rows() {
    return kRows;
}

} // namespace adit::cli

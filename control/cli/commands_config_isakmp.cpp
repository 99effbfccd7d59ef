// SPDX-License-Identifier: Apache-2.0
// crypto isakmp ...: phase-1 policies, pre-shared keys, keepalives.
#include "control/cli/grammar.h"
#include "control/cli/key_text.h"
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

Status default_policies(Editor& editor, const Match&, Sign sign) {
    editor.edit().isakmp_default_policies = sign == Sign::Set;
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

Status authentication(Editor& editor, const Match& match, Sign sign) {
    AuthenticationMethod& method = current(editor).authentication;
    method = IsakmpPolicy{}.authentication;
    if (sign == Sign::Set && match.has("pre-share"))
        method = AuthenticationMethod::PreShare;
    if (sign == Sign::Set && match.has("ecdsa-sig"))
        method = AuthenticationMethod::EcdsaSig;
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

Status key(Editor& editor, const Match& match, Sign sign) {
    config::IsakmpKey key;
    key.no_xauth = match.has("no-xauth");
    key.address = TRY(key_prefix(match));
    if (sign == Sign::Set)
        key.key = TRY(key_of(match, 0));
    return set_key(editor, editor.edit().isakmp_keys, std::move(key), sign);
}

Status key_by_name(Editor& editor, const Match& match, Sign sign) {
    config::IsakmpKey key;
    key.no_xauth = match.has("no-xauth");
    key.hostname = match.text(ArgKind::Name, 1);
    if (sign == Sign::Set)
        key.key = TRY(key_of(match, 0));
    return set_key(editor, editor.edit().isakmp_keys, std::move(key), sign);
}

Status identity(Editor& editor, const Match& match, Sign sign) {
    editor.edit().isakmp_identity =
        sign == Sign::Set ? self_identity_of(match) : ike::SelfIdentity{};
    return {};
}

Status aggressive_mode(Editor& editor, const Match& match, Sign sign) {
    ike::AggressiveMode& mode = editor.edit().aggressive_mode;
    mode = sign == Sign::No       ? ike::AggressiveMode::Named
           : match.has("disable") ? ike::AggressiveMode::Disabled
                                  : ike::AggressiveMode::Enabled;
    editor.define("isakmp aggressive-mode");
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

Status fragmentation(Editor& editor, const Match& match, Sign sign) {
    auto& mtu = editor.edit().fragmentation_mtu;
    if (sign == Sign::No)
        mtu.reset();
    else
        mtu = match.argument(ArgKind::Number) == nullptr ? config::Config{}.fragmentation_mtu
                                                         : std::optional{match.number()};
    return {};
}

Status invalid_spi_recovery(Editor& editor, const Match&, Sign sign) {
    editor.edit().invalid_spi_recovery = sign == Sign::Set;
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
     "crypto isakmp policy <1-10000>",
     kSame,
     "Define a phase-1 policy; the lowest number is offered first",
     policy},
    {Mode::Config,
     "crypto isakmp default policy",
     kSame,
     "Use built-in phase-1 policies while none is configured",
     default_policies},
    {Mode::Config,
     "crypto isakmp key [0|6] NAME address A.B.C.D [MASK] [no-xauth]",
     kSame,
     "Set the pre-shared key for a peer or a network of peers",
     key},
    {Mode::Config,
     "crypto isakmp keepalive <10-3600> [<2-60>] [periodic|on-demand]",
     "crypto isakmp keepalive [<10-3600> [<2-60>] [periodic|on-demand]]",
     "Ask peers for a sign of life (RFC 3706)",
     keepalive},
    {Mode::Config,
     "crypto isakmp nat keepalive <5-3600>",
     "crypto isakmp nat keepalive [<5-3600>]",
     "Set the interval that keeps NAT mappings open",
     nat_keepalive},
    {Mode::Config,
     "crypto isakmp identity {address|hostname|dn|fqdn NAME|user-fqdn NAME|key-id NAME}",
     "crypto isakmp identity [LINE]",
     "What we call ourselves in phase 1",
     identity},
    {Mode::Config, "crypto isakmp enable", kSame, "Switch ISAKMP on", enable},
    {Mode::Config,
     "crypto isakmp aggressive-mode {disable|enable}",
     "crypto isakmp aggressive-mode [disable|enable]",
     "Whom aggressive mode with pre-shared keys is for",
     aggressive_mode},
    {Mode::Config,
     "crypto isakmp invalid-spi-recovery",
     kSame,
     "Start a negotiation when an unknown SPI arrives",
     invalid_spi_recovery},
    {Mode::Config,
     "crypto isakmp fragmentation [mtu <96-1500>]",
     kSame,
     "Send large ISAKMP messages in fragments of IKE to peers that know them",
     fragmentation},
    {Mode::Config,
     "crypto isakmp key [0|6] NAME hostname NAME [no-xauth]",
     kSame,
     "Set the pre-shared key for a peer by its name",
     key_by_name},

    {Mode::Isakmp,
     "{encr|encryption} {3des|aes [128|192|256]}",
     "{encr|encryption} [3des|des|aes [128|192|256]]",
     "Set the cipher",
     encryption},
    {Mode::Isakmp,
     "{encr|encryption} des",
     nullptr,
     "Single DES",
     Refused{"DES is not supported: its 56-bit keys are found in a day", "use encr aes 256"}},
    {Mode::Isakmp,
     "hash {md5|sha|sha256|sha384|sha512}",
     "hash [md5|sha|sha256|sha384|sha512]",
     "Set the hash, also for the key derivation",
     hash},
    {Mode::Isakmp,
     "authentication {pre-share|rsa-sig|ecdsa-sig}",
     "authentication [pre-share|rsa-sig|rsa-encr|ecdsa-sig]",
     "Set how both sides prove who they are",
     authentication},
    {Mode::Isakmp,
     "authentication rsa-encr",
     nullptr,
     "Encrypted nonces",
     Refused{"RSA encryption is not supported: its padding tells attackers too much",
             "use authentication rsa-sig"}},
    {Mode::Isakmp,
     "group {1|2|5|14|15|16|17|18|19|20|21|24}",
     "group [<1-30>]",
     "Set the Diffie-Hellman group",
     group},
    {Mode::Isakmp, "lifetime <60-86400>", "lifetime [<60-86400>]", "Set the lifetime", lifetime},
};

} // namespace

std::span<const Row> config_isakmp_rows() {
    return kRows;
}

} // namespace adit::cli

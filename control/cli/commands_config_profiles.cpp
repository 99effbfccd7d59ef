// SPDX-License-Identifier: Apache-2.0
// crypto keyring, crypto isakmp profile, crypto isakmp peer: which key and which name go with whom.
#include "control/cli/grammar.h"
#include "control/cli/key_text.h"
#include "control/config/editor.h"

#include <algorithm>

namespace adit::cli {

namespace {

using config::Editor;
using ike::IdentityMatch;
using ike::SelfIdentity;

template <class Object>
Status enter_object(Editor& editor,
                    std::map<std::string, Object>& objects,
                    Mode mode,
                    const Match& match,
                    Sign sign) {
    const std::string name = match.text(ArgKind::Name);
    if (sign == Sign::No) {
        objects.erase(name);
        return {};
    }
    objects.try_emplace(name);
    editor.enter(mode, name);
    return {};
}

std::string described(const Match& match, Sign sign) {
    return sign == Sign::Set ? match.text(ArgKind::Line) : std::string{};
}

// --- crypto keyring ------------------------------------------------------------------------------

Status keyring(Editor& editor, const Match& match, Sign sign) {
    TRY_VOID(enter_object(editor, editor.edit().keyrings, Mode::Keyring, match, sign));
    editor.define("keyring " + match.text(ArgKind::Name));
    return {};
}

config::Keyring& current_keyring(Editor& editor) {
    return editor.edit().keyrings[editor.object()];
}

Status keyring_description(Editor& editor, const Match& match, Sign sign) {
    current_keyring(editor).description = described(match, sign);
    return {};
}

Status pre_shared_key(Editor& editor, const Match& match, Sign sign) {
    config::IsakmpKey key;
    if (match.has("hostname"))
        key.hostname = match.text(ArgKind::Name);
    else
        key.address = TRY(key_prefix(match));
    const std::size_t key_word = key.hostname.empty() ? 0 : 1;
    if (sign == Sign::Set)
        key.key = TRY(key_of(match, key_word));
    TRY_VOID(set_key(editor, current_keyring(editor).keys, std::move(key), sign));
    return {};
}

// --- crypto isakmp profile -----------------------------------------------------------------------

Status profile(Editor& editor, const Match& match, Sign sign) {
    TRY_VOID(enter_object(editor, editor.edit().isakmp_profiles, Mode::IsakmpProfile, match, sign));
    editor.define("isakmp profile " + match.text(ArgKind::Name));
    return {};
}

config::IsakmpProfile& current_profile(Editor& editor) {
    return editor.edit().isakmp_profiles[editor.object()];
}

Status profile_description(Editor& editor, const Match& match, Sign sign) {
    current_profile(editor).description = described(match, sign);
    return {};
}

/// Adds or takes away one element of a list that keeps its order.
template <class Element>
void set_member(std::vector<Element>& list, const Element& element, Sign sign) {
    const auto known = std::find(list.begin(), list.end(), element);
    if (sign == Sign::No && known != list.end())
        list.erase(known);
    if (sign == Sign::Set && known == list.end())
        list.push_back(element);
}

Status profile_keyring(Editor& editor, const Match& match, Sign sign) {
    auto& keyrings = current_profile(editor).keyrings;
    if (sign == Sign::No && match.argument(ArgKind::Name) == nullptr) {
        keyrings.clear();
        return {};
    }
    set_member(keyrings, match.text(ArgKind::Name), sign);
    editor.define("isakmp profile " + editor.object() + " keyring " + match.text(ArgKind::Name));
    return {};
}

IdentityMatch::Kind kind_of(const Match& match) {
    using Kind = IdentityMatch::Kind;
    if (match.has("group"))
        return Kind::Group;
    if (match.has("any"))
        return Kind::Any;
    if (match.has("host"))
        return match.has("domain") ? Kind::HostDomain : Kind::Host;
    if (match.has("user"))
        return match.has("domain") ? Kind::UserDomain : Kind::User;
    return Kind::Address;
}

Status match_identity(Editor& editor, const Match& match, Sign sign) {
    IdentityMatch wanted{kind_of(match), {}, {}};
    if (wanted.kind == IdentityMatch::Kind::Address)
        wanted.address = TRY(key_prefix(match));
    else
        wanted.text = match.text(ArgKind::Name);
    set_member(current_profile(editor).matches, wanted, sign);
    return {};
}

Status self_identity(Editor& editor, const Match& match, Sign sign) {
    auto& self = current_profile(editor).self;
    self.reset();
    if (sign == Sign::Set)
        self = self_identity_of(match);
    return {};
}

Status profile_keepalive(Editor& editor, const Match& match, Sign sign) {
    auto& keepalive = current_profile(editor).keepalive;
    keepalive.reset();
    if (sign == Sign::Set)
        keepalive = config::Keepalive{
            .interval_seconds = match.number(), .retry_seconds = match.number(1), .periodic = true};
    return {};
}

Status initiate_aggressive(Editor& editor, const Match&, Sign sign) {
    current_profile(editor).initiate_aggressive = sign == Sign::Set;
    editor.define("isakmp profile " + editor.object() + " aggressive");
    return {};
}

// --- crypto isakmp peer --------------------------------------------------------------------------

Status peer(Editor& editor, const Match& match, Sign sign) {
    auto& peers = editor.edit().isakmp_peers;
    const Ipv4Address address = match.address();
    if (sign == Sign::No) {
        peers.erase(address);
        return {};
    }
    peers.try_emplace(address);
    editor.enter(Mode::IsakmpPeer, {}, address.value);
    editor.define("isakmp peer " + to_string(address));
    return {};
}

config::IsakmpPeer& current_peer(Editor& editor) {
    return editor.edit().isakmp_peers[Ipv4Address{editor.object_number()}];
}

Status peer_description(Editor& editor, const Match& match, Sign sign) {
    current_peer(editor).description = described(match, sign);
    return {};
}

Status aggressive_password(Editor& editor, const Match& match, Sign sign) {
    current_peer(editor).key.reset();
    if (sign == Sign::Set)
        current_peer(editor).key = TRY(key_of(match, 0));
    return {};
}

Status client_endpoint(Editor& editor, const Match& match, Sign sign) {
    current_peer(editor).self = sign == Sign::Set ? self_identity_of(match) : SelfIdentity{};
    return {};
}

constexpr Row kRows[] = {
    {Mode::Config, "crypto keyring NAME", kSame, "Define a keyring", keyring},
    {Mode::Config,
     "crypto keyring NAME vrf NAME",
     nullptr,
     "Keyring of a routing table",
     Refused{"There is one routing table", "leave out vrf"},
     Privilege::Privileged,
     true},
    {Mode::Config,
     "crypto isakmp profile NAME",
     kSame,
     "Define what is asked of the peers it matches",
     profile},
    {Mode::Config,
     "crypto isakmp profile NAME accounting NAME",
     nullptr,
     "Profile with accounting",
     Refused{"Accounting is not supported", "leave out accounting"},
     Privilege::Privileged,
     true},
    {Mode::Config,
     "crypto isakmp peer address A.B.C.D",
     kSame,
     "Speak aggressive mode to one peer",
     peer},
    {Mode::Config,
     "crypto isakmp peer {hostname NAME|address A.B.C.D vrf NAME}",
     nullptr,
     "Peers by name",
     Refused{"Peers are named by address here", "write crypto isakmp peer address"},
     Privilege::Privileged,
     true},

    {Mode::Keyring,
     "description LINE",
     "description [LINE]",
     "Describe the keyring",
     keyring_description},
    {Mode::Keyring,
     "pre-shared-key address A.B.C.D [MASK] key [0|6] NAME",
     "pre-shared-key address A.B.C.D [MASK] [key [0|6] NAME]",
     "Key of a peer or a network of peers",
     pre_shared_key},
    {Mode::Keyring,
     "pre-shared-key hostname NAME key [0|6] NAME",
     "pre-shared-key hostname NAME [key [0|6] NAME]",
     "Key of a peer that calls itself so",
     pre_shared_key},
    {Mode::Keyring,
     "local-address {A.B.C.D|INTERFACE}",
     kSame,
     "For one of our addresses",
     Ignored{"a keyring serves all of our addresses"}},
    {Mode::Keyring,
     "rsa-pubkey LINE",
     nullptr,
     "RSA key of a peer",
     Refused{"Peers with RSA keys need certificates", "write crypto pki trustpoint"},
     Privilege::Privileged,
     true},

    {Mode::IsakmpProfile,
     "description LINE",
     "description [LINE]",
     "Describe the profile",
     profile_description},
    {Mode::IsakmpProfile,
     "keyring NAME",
     "keyring [NAME]",
     "Keys of the peers it matches",
     profile_keyring},
    {Mode::IsakmpProfile,
     "match identity address A.B.C.D [MASK]",
     kSame,
     "Match peers that name an address",
     match_identity},
    {Mode::IsakmpProfile,
     "match identity {host|user} [domain] NAME",
     kSame,
     "Match peers by name",
     match_identity},
    {Mode::IsakmpProfile,
     "match identity group NAME",
     kSame,
     "Match peers by group",
     match_identity},
    {Mode::IsakmpProfile, "match identity any", kSame, "Match every peer", match_identity},
    {Mode::IsakmpProfile,
     "match {certificate LINE|identity address A.B.C.D MASK NAME}",
     kSame,
     "Other matches",
     Refused{"Certificate maps and routing tables are not supported", "match the identity"}},
    {Mode::IsakmpProfile,
     "self-identity {address|fqdn [NAME]|user-fqdn NAME|key-id NAME|dn}",
     "self-identity [LINE]",
     "What we call ourselves",
     self_identity},
    {Mode::IsakmpProfile,
     "keepalive <10-3600> retry <2-60>",
     "keepalive [<10-3600> retry <2-60>]",
     "Ask these peers for a sign of life (RFC 3706)",
     profile_keepalive},
    {Mode::IsakmpProfile,
     "initiate mode aggressive",
     kSame,
     "Speak aggressive mode",
     initiate_aggressive},
    {Mode::IsakmpProfile,
     "local-address {A.B.C.D|INTERFACE}",
     kSame,
     "For one of our addresses",
     Ignored{"a profile serves all of our addresses"}},
    {Mode::IsakmpProfile,
     "{vrf|virtual-template|accounting|qos-group|send-lifetime} LINE",
     kSame,
     "Other parts of a profile",
     Refused{"Not supported in a profile"}},

    {Mode::IsakmpPeer,
     "description LINE",
     "description [LINE]",
     "Describe the peer",
     peer_description},
    {Mode::IsakmpPeer,
     "set aggressive-mode password [0|6] NAME",
     "set aggressive-mode password [[0|6] NAME]",
     "Pre-shared key",
     aggressive_password},
    {Mode::IsakmpPeer,
     "set aggressive-mode client-endpoint {ipv4-address A.B.C.D|fqdn NAME|user-fqdn NAME|key-id "
     "NAME}",
     "set aggressive-mode client-endpoint [LINE]",
     "What we call ourselves",
     client_endpoint},
};

} // namespace

std::span<const Row> config_profile_rows() {
    return kRows;
}

} // namespace adit::cli

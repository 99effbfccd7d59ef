// SPDX-License-Identifier: Apache-2.0
// crypto ipsec ... and crypto map ...: transform sets, lifetimes, profiles, and what is protected
// for whom.
#include "control/cli/grammar.h"
#include "control/config/editor.h"
#include "control/config/names.h"

#include <algorithm>
#include <map>

namespace adit::cli {

namespace {

using config::CryptoMapEntry;
using config::Editor;
using config::TransformSet;

// --- transform sets ------------------------------------------------------------------------------

/// The cipher a word stands for, with the key length behind it.
std::optional<EspCipher> cipher_of(std::string_view word, std::string_view bits) {
    const auto by_length = [&](EspCipher c128, EspCipher c192, EspCipher c256) {
        return bits == "256" ? c256 : bits == "192" ? c192 : c128;
    };
    if (word == "esp-aes")
        return by_length(EspCipher::AesCbc128, EspCipher::AesCbc192, EspCipher::AesCbc256);
    if (word == "esp-gcm")
        return by_length(EspCipher::AesGcm128, EspCipher::AesGcm192, EspCipher::AesGcm256);
    if (word == "esp-3des")
        return EspCipher::TripleDesCbc;
    if (word == "esp-null")
        return EspCipher::Null;
    return std::nullopt;
}

std::optional<EspMac> mac_of(std::string_view word) {
    for (const EspMacInfo& info : kEspMacs)
        if (info.mac != EspMac::None && word == info.config_name)
            return info.mac;
    return std::nullopt;
}

Status check_words(const Match& match) {
    for (const Word& word : match.words()) {
        if (word.kind != ArgKind::Keyword)
            continue;
        if (word.text == "esp-des")
            return fail(
                ErrorCode::Unsupported,
                "DES is not supported: its 56-bit keys are found in a day; use esp-aes 256");
        if (word.text == "esp-seal" || word.text == "esp-gmac")
            return fail(ErrorCode::Unsupported, word.text + " is not supported");
        if (word.text.starts_with("ah-") || word.text == "comp-lzs")
            return fail(ErrorCode::Unsupported,
                        word.text + " is not supported: only ESP is, with its own integrity");
    }
    return {};
}

/// Once the words are known: is this a set that protects anything?
Status check_sound(std::optional<EspCipher> cipher, EspMac mac) {
    if (!cipher)
        return fail(ErrorCode::Invalid,
                    "A transform set needs a cipher: esp-aes, esp-gcm, esp-3des or esp-null");
    if (is_combined_mode(*cipher) && mac != EspMac::None)
        return fail(ErrorCode::Invalid,
                    "esp-gcm carries its own integrity; leave out " +
                        std::string(info(mac).config_name));
    if (!is_sound(*cipher, mac))
        return fail(ErrorCode::Invalid,
                    std::string(info(*cipher).config_name) +
                        " without integrity is refused; add esp-sha256-hmac");
    return {};
}

Status transform_set(Editor& editor, const Match& match, Sign sign) {
    const std::string name = match.text(ArgKind::Name);
    if (sign == Sign::No) {
        editor.edit().transform_sets.erase(name);
        return {};
    }
    TRY_VOID(check_words(match));
    std::optional<EspCipher> cipher;
    EspMac mac = EspMac::None;
    const auto words = match.words();
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (words[i].kind != ArgKind::Keyword)
            continue;
        const std::string bits = i + 1 < words.size() ? words[i + 1].text : std::string{};
        const auto this_cipher = cipher_of(words[i].text, bits);
        const auto this_mac = mac_of(words[i].text);
        if ((this_cipher && cipher) || (this_mac && mac != EspMac::None))
            return fail(ErrorCode::Invalid, "A transform set has one cipher and one integrity");
        if (this_cipher)
            cipher = this_cipher;
        if (this_mac)
            mac = *this_mac;
    }
    TRY_VOID(check_sound(cipher, mac));
    TransformSet& set = editor.edit().transform_sets[name];
    set.cipher = *cipher;
    set.mac = mac;
    editor.define("transform-set " + name);
    editor.enter(Mode::TransformSet, name);
    return {};
}

Status transform_mode(Editor& editor, const Match& match, Sign sign) {
    TransformSet& set = editor.edit().transform_sets[editor.object()];
    set.transport = sign == Sign::Set && match.has("transport");
    set.mode_required = set.transport && match.has("require");
    return {};
}

Status transform_esn(Editor& editor, const Match&, Sign sign) {
    editor.edit().transform_sets[editor.object()].esn = sign == Sign::Set;
    return {};
}

// --- lifetimes and replay ------------------------------------------------------------------------

void set_lifetime(config::SaLifetime& lifetime, const Match& match, Sign sign) {
    auto& value = match.has("seconds") ? lifetime.seconds : lifetime.kilobytes;
    if (sign == Sign::No)
        value.reset();
    else
        value = match.number(); // 0 for `disable`
}

Status global_lifetime(Editor& editor, const Match& match, Sign sign) {
    set_lifetime(editor.edit().sa_lifetime, match, sign);
    return {};
}

Status global_idle_time(Editor& editor, const Match& match, Sign sign) {
    auto& seconds = editor.edit().sa_idle_seconds;
    seconds.reset();
    if (sign == Sign::Set)
        seconds = match.number();
    return {};
}

Status replay_window(Editor& editor, const Match& match, Sign sign) {
    const Word* size = match.after("window-size");
    editor.edit().replay_window = sign == Sign::Set
                                      ? static_cast<std::uint32_t>(std::stoul(size->text))
                                      : config::Config{}.replay_window;
    return {};
}

Status replay_disable(Editor& editor, const Match&, Sign sign) {
    editor.edit().replay_disabled = sign == Sign::Set;
    if (sign == Sign::Set)
        editor.warn("replayed packets are accepted");
    return {};
}

Status df_bit(Editor& editor, const Match& match, Sign sign) {
    if (sign == Sign::Set && !match.has("copy"))
        editor.ignore("the DF bit is copied to the outer header");
    return {};
}

Status nat_transparency(Editor& editor, const Match& match, Sign sign) {
    if (match.has("udp-encapsulation"))
        editor.edit().udp_always = sign == Sign::Set && match.has("force");
    if (sign == Sign::No && !match.has("force"))
        editor.ignore("NAT traversal is always offered");
    return {};
}

// --- crypto maps ---------------------------------------------------------------------------------

/// In front of the name of the object edited, which holds no blank itself.
constexpr std::string_view kMap = "crypto map ";
constexpr std::string_view kDynamicMap = "crypto dynamic-map ";
constexpr std::string_view kProfile = "crypto ipsec profile ";

CryptoMapEntry& current(Editor& editor) {
    const std::string& object = editor.object();
    const bool dynamic = object.starts_with(kDynamicMap);
    const std::string name = object.substr(dynamic ? kDynamicMap.size() : kMap.size());
    auto& maps = dynamic ? editor.edit().dynamic_maps : editor.edit().crypto_maps;
    return maps[name][editor.object_number()];
}

/// Of profiles and entries alike.
config::IpsecProfile& current_terms(Editor& editor) {
    if (editor.mode() == Mode::IpsecProfile)
        return editor.edit().ipsec_profiles[editor.object().substr(kProfile.size())];
    return current(editor);
}

std::string origin_of(const Editor& editor) {
    if (editor.mode() == Mode::IpsecProfile)
        return editor.object();
    return editor.object() + ' ' + std::to_string(editor.object_number());
}

Status ipsec_profile(Editor& editor, const Match& match, Sign sign) {
    const std::string name = match.text(ArgKind::Name);
    if (sign == Sign::No) {
        editor.edit().ipsec_profiles.erase(name);
        return {};
    }
    editor.edit().ipsec_profiles.try_emplace(name);
    editor.enter(Mode::IpsecProfile, std::string{kProfile} + name);
    editor.define(editor.object());
    return {};
}

Status remove_map(std::map<std::string, config::CryptoMap>& maps, const Match& match) {
    const auto map = maps.find(match.text(ArgKind::Name));
    if (map == maps.end())
        return {};
    if (match.argument(ArgKind::Number) == nullptr)
        map->second.clear();
    else
        map->second.erase(match.number());
    if (map->second.empty())
        maps.erase(map);
    return {};
}

const CryptoMapEntry* find_entry(const std::map<std::string, config::CryptoMap>& maps,
                                 const std::string& name,
                                 std::uint32_t sequence) {
    const auto map = maps.find(name);
    if (map == maps.end())
        return nullptr;
    const auto entry = map->second.find(sequence);
    return entry == map->second.end() ? nullptr : &entry->second;
}

Status crypto_map(Editor& editor, const Match& match, Sign sign) {
    if (sign == Sign::No)
        return remove_map(editor.edit().crypto_maps, match);
    const std::string name = match.text(ArgKind::Name);
    const std::uint32_t sequence = match.number();
    const CryptoMapEntry* entry = find_entry(editor.config().crypto_maps, name, sequence);
    const bool known = entry != nullptr;
    if (known && !entry->dynamic_map.empty())
        return fail(ErrorCode::Invalid,
                    "The entry stands for crypto dynamic-map " + entry->dynamic_map +
                        "; edit that, or remove the entry first");
    if (!known && !match.has("ipsec-isakmp"))
        return fail(ErrorCode::Invalid,
                    "A new entry is written with ipsec-isakmp behind its number");
    editor.edit().crypto_maps[name].try_emplace(sequence);
    editor.enter(Mode::CryptoMap, std::string{kMap} + name, sequence);
    editor.define(origin_of(editor));
    if (!known)
        editor.note("NOTE: This new crypto map will remain disabled until a peer\n"
                    "        and a valid access list have been configured.");
    return {};
}

/// crypto map M N ipsec-isakmp dynamic D
Status map_to_dynamic(Editor& editor, const Match& match, Sign sign) {
    if (sign == Sign::No)
        return remove_map(editor.edit().crypto_maps, match);
    const std::string name = match.text(ArgKind::Name);
    const std::uint32_t sequence = match.number();
    const std::string& dynamic = match.after("dynamic")->text;
    const CryptoMapEntry* entry = find_entry(editor.config().crypto_maps, name, sequence);
    if (entry != nullptr && entry->dynamic_map != dynamic)
        return fail(ErrorCode::Invalid,
                    "The entry exists and is another one; remove it first with no crypto map " +
                        name + ' ' + std::to_string(sequence));
    editor.edit().crypto_maps[name][sequence].dynamic_map = dynamic;
    editor.define(std::string{kMap} + name + ' ' + std::to_string(sequence));
    if (match.has("discover"))
        editor.ignore("peers are not discovered: they come to us");
    return {};
}

Status dynamic_map(Editor& editor, const Match& match, Sign sign) {
    if (sign == Sign::No)
        return remove_map(editor.edit().dynamic_maps, match);
    const std::string name = match.text(ArgKind::Name);
    editor.edit().dynamic_maps[name].try_emplace(match.number());
    editor.enter(Mode::CryptoMap, std::string{kDynamicMap} + name, match.number());
    editor.define(origin_of(editor));
    return {};
}

Status set_peer(Editor& editor, const Match& match, Sign sign) {
    const Ipv4Address peer = match.address();
    auto& peers = current(editor).peers;
    const auto known = std::find(peers.begin(), peers.end(), peer);
    bool& prefers_first = current(editor).prefers_first;
    if (sign == Sign::No) {
        prefers_first = prefers_first && known != peers.begin();
        if (known != peers.end() && !match.has("default"))
            peers.erase(known);
        return {};
    }
    if (peer.is_unspecified() || peer.is_multicast() || peer.is_loopback() || peer.value == ~0U)
        return fail(ErrorCode::Invalid, to_string(peer) + " cannot be a peer");
    const bool is_first = peers.empty() || known == peers.begin();
    if (match.has("default") && !is_first)
        return fail(ErrorCode::Invalid,
                    "Only the first peer of an entry can be the default one, and that is " +
                        to_string(peers.front()));
    prefers_first = is_first ? match.has("default") : prefers_first;
    editor.define(origin_of(editor) + " peer " + to_string(peer));
    if (known == peers.end())
        peers.push_back(peer);
    return {};
}

Status set_transform_set(Editor& editor, const Match& match, Sign sign) {
    constexpr std::size_t kMaxSets = 6; // as many as IOS takes
    std::vector<std::string> names;
    for (std::size_t i = 0; sign == Sign::Set && match.argument(ArgKind::Name, i) != nullptr; ++i)
        names.push_back(match.text(ArgKind::Name, i));
    if (names.size() > kMaxSets)
        return fail(ErrorCode::Invalid, "An entry takes at most 6 transform sets");
    current_terms(editor).transform_sets = std::move(names);
    editor.define(origin_of(editor) + " transform-set");
    return {};
}

Status set_pfs(Editor& editor, const Match& match, Sign sign) {
    config::IpsecProfile& entry = current_terms(editor);
    if (sign == Sign::No) {
        entry.pfs.reset();
        return {};
    }
    const Word* word = match.after("pfs");
    // IOS takes group 1 when no group is written.
    const std::string name = word == nullptr ? "group1" : word->text;
    constexpr std::size_t kPrefix = std::string_view{"group"}.size();
    const auto group =
        config::parse_group(static_cast<std::uint32_t>(std::stoul(name.substr(kPrefix))));
    if (!group)
        return fail(ErrorCode::Unsupported, name + " is not supported");
    entry.pfs = group;
    editor.define(origin_of(editor) + " pfs");
    return {};
}

Status entry_lifetime(Editor& editor, const Match& match, Sign sign) {
    set_lifetime(current_terms(editor).lifetime, match, sign);
    return {};
}

Status entry_idle_time(Editor& editor, const Match& match, Sign sign) {
    config::IpsecProfile& terms = current_terms(editor);
    terms.idle_seconds.reset();
    terms.idle_to_default = sign == Sign::Set && match.has("default");
    if (sign == Sign::Set)
        terms.idle_seconds = match.number();
    return {};
}

Status set_isakmp_profile(Editor& editor, const Match& match, Sign sign) {
    current_terms(editor).isakmp_profile =
        sign == Sign::Set ? match.text(ArgKind::Name) : std::string{};
    editor.define(origin_of(editor) + " isakmp-profile");
    return {};
}

Status match_address(Editor& editor, const Match& match, Sign sign) {
    current(editor).match_address = sign == Sign::Set ? match.text(ArgKind::Name) : std::string{};
    editor.define(origin_of(editor) + " match");
    return {};
}

Status reverse_route(Editor& editor, const Match&, Sign sign) {
    const bool dynamic = editor.object().starts_with(kDynamicMap);
    if (sign == Sign::Set && !dynamic)
        editor.ignore("only a dynamic map makes routes; write ip route lines that lead out of the "
                      "interface");
    else if (dynamic)
        current(editor).reverse_route = sign == Sign::Set;
    return {};
}

Status description(Editor& editor, const Match& match, Sign sign) {
    current_terms(editor).description =
        sign == Sign::Set ? match.text(ArgKind::Line) : std::string{};
    return {};
}

// clang-format off
#define TRANSFORM                                                                                   \
    "{esp-aes [128|192|256]|esp-gcm [128|192|256]|esp-3des|esp-null|esp-des|esp-seal|"              \
    "esp-gmac [128|192|256]|esp-sha-hmac|esp-sha256-hmac|esp-sha384-hmac|esp-sha512-hmac|"          \
    "esp-md5-hmac|ah-sha-hmac|ah-md5-hmac|ah-sha256-hmac|ah-sha384-hmac|ah-sha512-hmac|comp-lzs}"
#define GROUPS                                                                                      \
    "{group1|group2|group5|group14|group15|group16|group17|group18|group19|group20|group21|group24}"
// clang-format on

constexpr Row kRows[] = {
    {Mode::Config,
     "crypto ipsec transform-set NAME " TRANSFORM "...",
     "crypto ipsec transform-set NAME [" TRANSFORM "...]",
     "Define a transform set: what ESP does with packets",
     transform_set},
    {Mode::Config,
     "crypto ipsec security-association lifetime seconds <120-2592000>",
     "crypto ipsec security-association lifetime seconds [<120-2592000>]",
     "Set the lifetime of SAs in seconds",
     global_lifetime},
    {Mode::Config,
     "crypto ipsec security-association lifetime kilobytes {<2560-4294967295>|disable}",
     "crypto ipsec security-association lifetime kilobytes [<2560-4294967295>|disable]",
     "Set the lifetime of SAs in kilobytes",
     global_lifetime},
    {Mode::Config,
     "crypto ipsec security-association replay window-size {64|128|256|512|1024|2048|4096}",
     "crypto ipsec security-association replay window-size [64|128|256|512|1024|2048|4096]",
     "Set the anti-replay window in packets",
     replay_window},
    {Mode::Config,
     "crypto ipsec security-association replay disable",
     kSame,
     "Switch anti-replay off",
     replay_disable},
    {Mode::Config,
     "crypto ipsec security-association idle-time <60-86400>",
     "crypto ipsec security-association idle-time [<60-86400>]",
     "Delete SAs without traffic",
     global_idle_time},
    {Mode::Config,
     "crypto ipsec df-bit {clear|set|copy}",
     "crypto ipsec df-bit [clear|set|copy]",
     "Handling of the DF bit",
     df_bit},
    {Mode::Config,
     "crypto ipsec fragmentation {before-encryption|after-encryption}",
     kSame,
     "Where large packets are fragmented",
     Ignored{"packets too large are fragmented before encryption"}},
    {Mode::Config,
     "crypto ipsec nat-transparency udp-encapsulation force",
     kSame,
     "NAT traversal",
     nat_transparency},
    {Mode::Config,
     "crypto ipsec nat-transparency {udp-encapsulation|spi-matching}",
     kSame,
     "NAT traversal",
     nat_transparency},
    {Mode::Config,
     "crypto ipsec profile NAME",
     kSame,
     "Define how tunnel interfaces are protected",
     ipsec_profile},
    {Mode::Config,
     "crypto ipsec client ezvpn LINE",
     kSame,
     "Remote-access client",
     Refused{"Remote access is not supported"},
     Privilege::Privileged,
     true},
    {Mode::Config,
     "crypto dynamic-map NAME <1-65535>",
     "crypto dynamic-map NAME [<1-65535>]",
     "Enter an entry for peers whose address is not known; the lowest number is tried first",
     dynamic_map},
    {Mode::Config,
     "crypto ikev2 LINE",
     kSame,
     "IKEv2",
     Refused{"IKEv2 is not supported"},
     Privilege::Privileged,
     true},
    {Mode::Config,
     "crypto gdoi LINE",
     kSame,
     "Group keys",
     Refused{"GDOI is not supported"},
     Privilege::Privileged,
     true},

    {Mode::Config,
     "crypto map NAME <1-65535> [ipsec-isakmp]",
     "crypto map NAME [<1-65535> [ipsec-isakmp]]",
     "Enter an entry of a crypto map; the lowest number is tried first",
     crypto_map},
    {Mode::Config,
     "crypto map NAME <1-65535> ipsec-isakmp dynamic NAME [discover]",
     kSame,
     "Entry for peers whose address is not known",
     map_to_dynamic},
    {Mode::Config,
     "crypto map NAME <1-65535> {ipsec-manual|gdoi}",
     nullptr,
     "Entry with manual or group keys",
     Refused{"Only ipsec-isakmp entries are supported"},
     Privilege::Privileged,
     true},
    {Mode::Config,
     "crypto map NAME local-address INTERFACE",
     kSame,
     "Address of another interface as ours",
     Refused{"The address of the interface that carries the map is ours; local-address is not "
             "supported"}},
    {Mode::Config,
     "crypto map NAME redundancy LINE",
     kSame,
     "Redundancy",
     Refused{"Redundancy is not supported"}},

    {Mode::TransformSet,
     "mode {tunnel|transport} [require]",
     "mode [tunnel|transport]",
     "Set the mode",
     transform_mode},
    {Mode::TransformSet, "esn", kSame, "Use 64-bit sequence numbers", transform_esn},

    {Mode::IpsecProfile,
     "description LINE",
     "description [LINE]",
     "Describe the profile",
     description},
    {Mode::IpsecProfile,
     "set transform-set NAME...",
     "set transform-set [NAME...]",
     "Name the transform sets, the preferred one first",
     set_transform_set},
    {Mode::IpsecProfile,
     "set pfs [" GROUPS "]",
     kSame,
     "New Diffie-Hellman for each pair of SAs",
     set_pfs},
    {Mode::IpsecProfile,
     "set security-association lifetime seconds <120-2592000>",
     "set security-association lifetime seconds [<120-2592000>]",
     "Set the lifetime in seconds",
     entry_lifetime},
    {Mode::IpsecProfile,
     "set security-association lifetime kilobytes {<2560-4294967295>|disable}",
     "set security-association lifetime kilobytes [<2560-4294967295>|disable]",
     "Set the lifetime in kilobytes",
     entry_lifetime},
    {Mode::IpsecProfile,
     "set isakmp-profile NAME",
     "set isakmp-profile [NAME]",
     "Only for peers of this ISAKMP profile",
     set_isakmp_profile},
    {Mode::IpsecProfile,
     "set security-association idle-time <60-86400>",
     "set security-association idle-time [<60-86400>]",
     "Delete SAs without traffic",
     entry_idle_time},
    {Mode::IpsecProfile,
     "set security-association {dummy|dfbit} LINE",
     kSame,
     "Details of the SAs",
     Ignored{"no effect for single profiles"}},
    {Mode::IpsecProfile,
     "set security-association {level|replay} LINE",
     kSame,
     "Details of the SAs",
     Refused{"Not supported for single profiles",
             "use crypto ipsec security-association replay window-size"}},
    {Mode::IpsecProfile,
     "set {ikev2-profile|identity|security-policy|mixed-mode} [LINE]",
     kSame,
     "Other parts of a profile",
     Refused{"IKEv2, identities and security policies are not supported in a profile"}},
    {Mode::IpsecProfile,
     "responder-only",
     kSame,
     "Never begin",
     Refused{"A tunnel is brought up by whichever side is there first",
             "leave out responder-only"}},

    {Mode::CryptoMap, "description LINE", "description [LINE]", "Describe the entry", description},
    {Mode::CryptoMap, "set peer A.B.C.D [default]", kSame, "Add a peer", set_peer},
    {Mode::CryptoMap,
     "set peer NAME [dynamic] [default]",
     kSame,
     "Add a peer by name",
     Refused{"Peers by host name are not supported", "write the peer's address"}},
    {Mode::CryptoMap,
     "set transform-set NAME...",
     "set transform-set [NAME...]",
     "Name the transform sets, the preferred one first",
     set_transform_set},
    {Mode::CryptoMap,
     "set pfs [" GROUPS "]",
     kSame,
     "New Diffie-Hellman for each pair of SAs",
     set_pfs},
    {Mode::CryptoMap,
     "set security-association lifetime seconds <120-2592000>",
     "set security-association lifetime seconds [<120-2592000>]",
     "Set the lifetime in seconds",
     entry_lifetime},
    {Mode::CryptoMap,
     "set security-association lifetime kilobytes {<2560-4294967295>|disable}",
     "set security-association lifetime kilobytes [<2560-4294967295>|disable]",
     "Set the lifetime in kilobytes",
     entry_lifetime},
    {Mode::CryptoMap,
     "set security-association idle-time <60-86400> [default]",
     "set security-association idle-time [<60-86400> [default]]",
     "Delete SAs without traffic",
     entry_idle_time},
    {Mode::CryptoMap,
     "set security-association {dummy|dfbit} LINE",
     kSame,
     "Details of the SAs",
     Ignored{"no effect for single entries"}},
    {Mode::CryptoMap,
     "set security-association {level|replay} LINE",
     kSame,
     "Details of the SAs",
     Refused{"Not supported for single entries",
             "use crypto ipsec security-association replay window-size"}},
    {Mode::CryptoMap,
     "match address NAME",
     "match address [NAME]",
     "Name the access list of what is protected",
     match_address},
    {Mode::CryptoMap,
     "set isakmp-profile NAME",
     "set isakmp-profile [NAME]",
     "Only for peers of this ISAKMP profile",
     set_isakmp_profile},
    {Mode::CryptoMap,
     "set {ikev2-profile|identity|session-key} LINE",
     kSame,
     "Profiles",
     Refused{"IKEv2 and manual keys are not supported"}},
    {Mode::CryptoMap,
     "set ip access-group LINE",
     kSame,
     "Filter for what was decrypted",
     Refused{"Filters for decrypted packets are not supported"}},
    {Mode::CryptoMap, "set nat demux", kSame, "NAT details", Ignored{"no effect here"}},
    {Mode::CryptoMap,
     "reverse-route",
     kSame,
     "Make routes to what peers of a dynamic map claim, while they are up",
     reverse_route},
    {Mode::CryptoMap,
     "reverse-route LINE",
     kSame,
     "Routes of another kind",
     Ignored{"no such routes are made; write ip route lines that lead out of the interface"}},
    {Mode::CryptoMap, "qos pre-classify", kSame, "QoS", Ignored{"there is no QoS"}},
};

#undef TRANSFORM
#undef GROUPS

} // namespace

std::span<const Row> config_ipsec_rows() {
    return kRows;
}

} // namespace adit::cli

// SPDX-License-Identifier: Apache-2.0
// Remote access: users, address pools, client groups, and which crypto map asks for a user name.
#include "control/cli/grammar.h"
#include "control/config/editor.h"

#include <algorithm>

namespace adit::cli {

namespace {

using config::ClientAccess;
using config::ClientGroup;
using config::Editor;
using config::User;

constexpr const char* kHidden = "<hidden>";

// --- users --------------------------------------------------------------------------------------

/// The number in front of a password: how it is written. Empty: in clear.
std::string password_type(const Match& match) {
    for (const char* word : {"password", "secret"})
        if (const Word* behind = match.after(word);
            behind != nullptr && behind->kind == ArgKind::Keyword)
            return behind->text;
    return {};
}

Result<ike::PasswordHash> password_of(const std::string& type, const std::string& text) {
    if (type == "8" || type == "9")
        return ike::parse_password_hash(text);
    if (text == kHidden)
        return fail(ErrorCode::Invalid,
                    "This password was hidden when the text was printed; write the password");
    if (text.size() > ike::kMaxPasswordBytes)
        return fail(ErrorCode::Invalid,
                    "A password has up to " + std::to_string(ike::kMaxPasswordBytes) +
                        " characters");
    SystemRng rng; // for the salt: nothing that has to come out the same again
    return ike::hash_password(as_bytes(text), rng);
}

Status set_user(Editor& editor, const Match& match) {
    const std::string name = match.text(ArgKind::Name);
    const std::string type = password_type(match);
    const std::string text = match.text(ArgKind::Name, 1);
    if (type == "5" || type == "7") {
        editor.ignore("a password of type " + type +
                      " is not used here: this user cannot log in as a client; write it in clear "
                      "(type 0) and it is kept hashed");
        return {};
    }
    auto& users = editor.edit().users;
    const auto known = users.find(name);
    const bool clear = type.empty() || type == "0";
    User user;
    if (match.argument(ArgKind::Number) != nullptr)
        user.privilege = static_cast<std::uint8_t>(match.number());
    // The same password again leaves the line as it is: a new salt would be a change.
    if (clear && known != users.end() && ike::is_password(known->second.password, as_bytes(text)))
        user.password = known->second.password;
    else
        user.password = TRY(password_of(type, text));
    editor.define("username " + name);
    users.insert_or_assign(name, user);
    return {};
}

Status user(Editor& editor, const Match& match, Sign sign) {
    if (sign == Sign::Set)
        return set_user(editor, match);
    editor.edit().users.erase(match.text(ArgKind::Name));
    return {};
}

// --- aaa ----------------------------------------------------------------------------------------

Status new_model(Editor& editor, const Match&, Sign sign) {
    editor.edit().aaa_new_model = sign == Sign::Set;
    return {};
}

/// `default` is a name like others.
template <std::set<std::string> config::Config::* lists>
Status local_list(Editor& editor, const Match& match, Sign sign) {
    auto& names = editor.edit().*lists;
    const std::string name = match.has("default") ? "default" : match.text(ArgKind::Name);
    if (sign == Sign::Set)
        names.insert(name);
    else
        names.erase(name);
    return {};
}

// --- pools --------------------------------------------------------------------------------------

Status pool(Editor& editor, const Match& match, Sign sign) {
    const std::string name = match.text(ArgKind::Name);
    if (sign == Sign::No) {
        editor.edit().pools.erase(name);
        return {};
    }
    const ike::AddressRange range{match.address(),
                                  match.argument(ArgKind::Ipv4, 1) != nullptr
                                      ? match.address(ArgKind::Ipv4, 1)
                                      : match.address()};
    if (range.last < range.first)
        return fail(ErrorCode::Invalid, "The last address of a pool is not below its first");
    if (range.last.value - range.first.value >= ike::kMaxPoolAddresses)
        return fail(ErrorCode::Invalid,
                    "A pool has at most " + std::to_string(ike::kMaxPoolAddresses) + " addresses");
    if (range.first.is_unspecified() || range.last.is_multicast() || range.first.is_loopback())
        return fail(ErrorCode::Invalid,
                    to_string(range.first) + " to " + to_string(range.last) +
                        " are no addresses of hosts");
    for (const auto& [other, taken] : editor.config().pools)
        if (other != name && range.first <= taken.last && taken.first <= range.last)
            return fail(ErrorCode::Conflict, "These addresses are in pool " + other + " already");
    editor.define("pool " + name);
    editor.edit().pools.insert_or_assign(name, range);
    return {};
}

// --- client groups ------------------------------------------------------------------------------

ClientGroup& current(Editor& editor) {
    return editor.edit().client_groups[editor.object()];
}

std::string origin_of(const Editor& editor) {
    return "client group " + editor.object();
}

Status group(Editor& editor, const Match& match, Sign sign) {
    const std::string name = match.has("default") ? "default" : match.text(ArgKind::Name);
    if (sign == Sign::No) {
        editor.edit().client_groups.erase(name);
        return {};
    }
    editor.edit().client_groups.try_emplace(name);
    editor.enter(Mode::ClientGroup, name);
    editor.define("client group " + name);
    return {};
}

Status group_key(Editor& editor, const Match& match, Sign sign) {
    if (sign == Sign::No) {
        current(editor).key.reset();
        return {};
    }
    if (match.words()[1].text == "6" && match.words()[1].kind == ArgKind::Keyword)
        return fail(ErrorCode::Unsupported,
                    "A key of type 6 is sealed with the master key of the router it comes from; "
                    "write it in clear (type 0)");
    const std::string text = match.text(ArgKind::Name);
    if (text == kHidden)
        return fail(ErrorCode::Invalid,
                    "This key was hidden when the text was printed; write the key itself");
    current(editor).key = std::make_shared<const SecretBuffer>(as_bytes(text));
    return {};
}

template <std::vector<Ipv4Address> ClientGroup::* servers>
Status group_servers(Editor& editor, const Match& match, Sign sign) {
    auto& list = current(editor).*servers;
    list.clear();
    for (std::size_t i = 0; sign == Sign::Set && match.argument(ArgKind::Ipv4, i) != nullptr; ++i)
        list.push_back(match.address(ArgKind::Ipv4, i));
    return {};
}

template <std::string ClientGroup::* text>
Status group_name(Editor& editor, const Match& match, Sign sign) {
    current(editor).*text = sign == Sign::Set ? match.text(ArgKind::Name) : std::string{};
    editor.define(origin_of(editor) + " " + match.words().front().text);
    return {};
}

/// One name a line, as often as there are some.
template <std::vector<std::string> ClientGroup::* names>
Status group_names(Editor& editor, const Match& match, Sign sign) {
    constexpr std::size_t kMaxNames = 10; // as many as clients take
    auto& list = current(editor).*names;
    const std::string name = match.argument(ArgKind::Name) != nullptr ? match.text(ArgKind::Name)
                                                                      : to_string(match.address());
    const auto known = std::ranges::find(list, name);
    if (sign == Sign::No) {
        if (known != list.end())
            list.erase(known);
        return {};
    }
    if (known == list.end() && list.size() == kMaxNames)
        return fail(ErrorCode::Exhausted, "At most 10 of these in a group");
    if (known == list.end())
        list.push_back(name);
    return {};
}

Status group_netmask(Editor& editor, const Match& match, Sign sign) {
    if (sign == Sign::Set)
        current(editor).netmask = match.address(ArgKind::Mask);
    else
        current(editor).netmask.reset();
    return {};
}

template <std::optional<std::uint32_t> ClientGroup::* limit>
Status group_limit(Editor& editor, const Match& match, Sign sign) {
    if (sign == Sign::Set)
        current(editor).*limit = match.number();
    else
        (current(editor).*limit).reset();
    return {};
}

template <bool ClientGroup::* flag> Status group_flag(Editor& editor, const Match&, Sign sign) {
    current(editor).*flag = sign == Sign::Set;
    return {};
}

/// The text between two equal delimiters, in one line.
Status banner(Editor& editor, const Match& match, Sign sign) {
    constexpr std::size_t kMaxBannerBytes = 1024; // as long as clients take
    if (sign == Sign::No) {
        current(editor).banner.clear();
        return {};
    }
    const std::string line = match.text(ArgKind::Line);
    const std::string delimiter = line.substr(0, line.starts_with("^C") ? 2 : 1);
    const std::size_t end = line.find(delimiter, delimiter.size());
    if (end == std::string::npos)
        return fail(ErrorCode::Unsupported,
                    "A banner stands in one line between two delimiters: banner ^C text ^C");
    std::string text = line.substr(delimiter.size(), end - delimiter.size());
    text.erase(0, text.find_first_not_of(' '));
    text.erase(text.find_last_not_of(' ') + 1);
    if (text.size() > kMaxBannerBytes)
        return fail(ErrorCode::Invalid, "A banner has up to 1024 characters");
    current(editor).banner = std::move(text);
    return {};
}

// --- crypto maps --------------------------------------------------------------------------------

/// The words behind `crypto map M`, or a line of a profile. `name`: which of the names in the line
/// is the list's or the group's.
void set_access(ClientAccess& access, const Match& match, std::size_t name, Sign sign) {
    const bool set = sign == Sign::Set;
    const std::string list = !set                   ? std::string{}
                             : match.has("default") ? "default"
                                                    : match.text(ArgKind::Name, name);
    if (match.has("authentication"))
        access.authentication_list = list;
    else if (match.has("authorization"))
        access.authorization_list = list;
    else if (match.has("group"))
        access.group = list;
    else if (match.has("respond"))
        access.respond = set;
    else
        access.initiate = set;
}

Status map_access(Editor& editor, const Match& match, Sign sign) {
    const std::string map = match.text(ArgKind::Name);
    auto& all = editor.edit().client_access;
    ClientAccess& access = all[map];
    set_access(access, match, 1, sign);
    editor.define("crypto map " + map + " client");
    if (access == ClientAccess{})
        all.erase(map);
    return {};
}

Status profile_access(Editor& editor, const Match& match, Sign sign) {
    const std::string profile = editor.object();
    set_access(editor.edit().isakmp_profiles[profile].access, match, 0, sign);
    editor.define("isakmp profile " + profile + " client");
    return {};
}

constexpr const char* kOnlyLocal =
    "only local users are known here; a crypto map that names this list lets nobody in";

constexpr Row kRows[] = {
    {Mode::Config,
     "username NAME [privilege <0-15>] {password|secret} [0|5|7|8|9] NAME",
     "username NAME [LINE]",
     "Define a user; the password is kept hashed",
     user},
    {Mode::Config, "aaa new-model", kSame, "Log users in by lists of methods", new_model},
    {Mode::Config,
     "aaa authentication login {default|NAME} local",
     kSame,
     "A list that looks users up here",
     local_list<&config::Config::login_lists>},
    {Mode::Config,
     "aaa authorization network {default|NAME} local",
     kSame,
     "A list that looks client groups up here",
     local_list<&config::Config::network_lists>},
    {Mode::Config,
     "aaa {authentication login|authorization network} {default|NAME} "
     "{group|local-case|none|enable|line|krb5|cache|radius} [LINE]",
     kSame,
     "A list that asks others",
     Ignored{kOnlyLocal}},
    {Mode::Config,
     "aaa {authentication login|authorization network} {default|NAME} local LINE",
     kSame,
     "A list that asks others too",
     Ignored{kOnlyLocal}},
    {Mode::Config,
     "ip local pool NAME A.B.C.D [A.B.C.D]",
     "ip local pool NAME [A.B.C.D [A.B.C.D]]",
     "Define addresses to lend to clients",
     pool},
    {Mode::Config,
     "crypto isakmp client configuration group {default|NAME}",
     kSame,
     "Define what the clients of a group are given",
     group},
    {Mode::Config,
     "crypto isakmp client configuration {address-pool|browser-proxy} LINE",
     kSame,
     "Remote access without groups",
     Refused{"Not supported", "use crypto isakmp client configuration group default"}},
    {Mode::Config,
     "crypto map NAME client authentication list {default|NAME}",
     "crypto map NAME client authentication list [default|NAME]",
     "Ask clients for a user name",
     map_access},
    {Mode::Config,
     "crypto map NAME isakmp authorization list {default|NAME}",
     "crypto map NAME isakmp authorization list [default|NAME]",
     "Where client groups are looked up",
     map_access},
    {Mode::Config,
     "crypto map NAME client configuration address {respond|initiate}",
     kSame,
     "Give clients an address when they ask, or unasked",
     map_access},
    {Mode::IsakmpProfile,
     "client authentication list {default|NAME}",
     "client authentication list [default|NAME]",
     "Ask clients for a user name",
     profile_access},
    {Mode::IsakmpProfile,
     "isakmp authorization list {default|NAME}",
     "isakmp authorization list [default|NAME]",
     "Where client groups are looked up",
     profile_access},
    {Mode::IsakmpProfile,
     "client configuration address {respond|initiate}",
     kSame,
     "Give clients an address when they ask, or unasked",
     profile_access},
    {Mode::IsakmpProfile,
     "client configuration group NAME",
     "client configuration group [NAME]",
     "The group of all clients of this profile",
     profile_access},
    {Mode::Config,
     "crypto map NAME client accounting LINE",
     kSame,
     "Accounting",
     Ignored{"logins are logged, not accounted"}},

    {Mode::ClientGroup,
     "key [0|6] NAME",
     "key [[0|6] NAME]",
     "Set the group's pre-shared key",
     group_key},
    {Mode::ClientGroup,
     "dns A.B.C.D [A.B.C.D]",
     "dns [A.B.C.D [A.B.C.D]]",
     "Name servers",
     group_servers<&ClientGroup::dns>},
    {Mode::ClientGroup,
     "wins A.B.C.D [A.B.C.D]",
     "wins [A.B.C.D [A.B.C.D]]",
     "WINS servers",
     group_servers<&ClientGroup::wins>},
    {Mode::ClientGroup,
     "domain NAME",
     "domain [NAME]",
     "Default domain",
     group_name<&ClientGroup::domain>},
    {Mode::ClientGroup,
     "pool NAME",
     "pool [NAME]",
     "Where addresses come from",
     group_name<&ClientGroup::pool>},
    {Mode::ClientGroup,
     "acl NAME",
     "acl [NAME]",
     "Split tunnelling: sources of this list go through the tunnel",
     group_name<&ClientGroup::acl>},
    {Mode::ClientGroup,
     "split-dns NAME",
     kSame,
     "A domain resolved through the tunnel",
     group_names<&ClientGroup::split_dns>},
    {Mode::ClientGroup,
     "backup-gateway {A.B.C.D|NAME}",
     kSame,
     "Another gateway",
     group_names<&ClientGroup::backup_gateways>},
    {Mode::ClientGroup,
     "netmask MASK",
     "netmask [MASK]",
     "Mask of the client's address",
     group_netmask},
    {Mode::ClientGroup, "banner LINE", "banner [LINE]", "Text shown at login", banner},
    {Mode::ClientGroup,
     "save-password",
     kSame,
     "Clients may store the password",
     group_flag<&ClientGroup::save_password>},
    {Mode::ClientGroup, "pfs", kSame, "Clients are told to use PFS", group_flag<&ClientGroup::pfs>},
    {Mode::ClientGroup,
     "max-users <1-5000>",
     "max-users [<1-5000>]",
     "Clients of this group at once",
     group_limit<&ClientGroup::max_users>},
    {Mode::ClientGroup,
     "max-logins <1-10>",
     "max-logins [<1-10>]",
     "Clients of one user at once",
     group_limit<&ClientGroup::max_logins>},
    {Mode::ClientGroup,
     "include-local-lan",
     kSame,
     "Clients may use their own network",
     Ignored{"without effect: write an acl of what goes through the tunnel"}},
    {Mode::ClientGroup,
     "{group-lock|access-restrict|firewall} [LINE]",
     kSame,
     "Who may use the group",
     Refused{"Not supported"}},
    {Mode::ClientGroup,
     "{dhcp|auto-update|configuration|smartcard-removal-disconnect} [LINE]",
     kSame,
     "Details of some clients",
     Ignored{"not sent to clients"}},
};

} // namespace

std::span<const Row> config_remote_rows() {
    return kRows;
}

} // namespace adit::cli

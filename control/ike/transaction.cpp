// SPDX-License-Identifier: Apache-2.0
#include "control/ike/transaction.h"

#include <algorithm>

namespace adit::ike {

void send_config(Turn& turn, Bytes attributes) {
    Transaction& transaction = *turn.transaction;
    const Secured& keys = secured(turn);
    MessageBuilder payloads;
    payloads.add(PayloadType::Attributes, std::move(attributes));
    send_kept(turn,
              behind_hash_1(keys, transaction.id, payloads)
                  .encrypted(header_of(turn, ExchangeType::Transaction, transaction.id),
                             transaction.iv,
                             keys.cipher_key.view()));
}

std::expected<ConfigPayload, Refusal> take_config(Turn& turn) {
    const Secured& keys = secured(turn);
    TRY_VOID(verify_hash_1(turn, keys.policy.hash, keys.skeyid_a.view(), "a transaction"));
    ConfigPayload payload =
        TRY(parse_config_payload(turn.message->find(PayloadType::Attributes)->body));
    TRY_VOID(turn.transaction->iv.accept(turn.ciphertext));
    return payload;
}

const ClientAccess* access_of(const EngineConfig& config, const Session& session) {
    const IsakmpProfile* profile = find_profile(config, session.profile);
    if (profile != nullptr && profile->access)
        return &*profile->access;
    const auto found = config.access.find(session.local.address);
    return found == config.access.end() ? nullptr : &found->second;
}

namespace {

/// The key that this peer has just proved to hold is one of a gateway, which logs in as nobody.
bool is_exempt(const EngineConfig& config, const Secured& proved) {
    return std::ranges::any_of(config.keys, [&](const PresharedKey& known) {
        return known.no_xauth && known.key == proved.psk;
    });
}

} // namespace

void admit_peer(Turn& turn) {
    Session& session = turn.session;
    const ClientAccess* access = access_of(turn.env.config, session);
    session.client = session.role == Role::Responder && access != nullptr &&
                     !is_exempt(turn.env.config, secured(turn));
    if (const ClientGroup* group = group_of(turn.env.config, session))
        session.group = group->name;
    if (session.client && access->login)
        session.login.emplace();
    else
        open_session(turn);
}

void open_session(Turn& turn) {
    turn.out.emplace_back(PhaseOneUp{});
    if (turn.session.first_contact)
        turn.out.emplace_back(InitialContactSeen{});
}

void heed_initial_contact(Turn& turn) {
    turn.session.first_contact = true;
    if (turn.session.open())
        turn.out.emplace_back(InitialContactSeen{});
}

const ClientGroup* group_of(const EngineConfig& config, const Session& session) {
    const ClientAccess* access = access_of(config, session);
    const Secured* proved = session.secured();
    if (!session.client || access == nullptr || !access->groups_known || proved == nullptr)
        return nullptr;
    if (!access->group.empty()) {
        const auto meant = config.groups.find(access->group);
        return meant == config.groups.end() ? nullptr : &meant->second;
    }
    // A name alone is no proof of belonging to a group that has a key.
    const auto is_of = [&](const ClientGroup& group) {
        const IdentityMatch named{IdentityMatch::Kind::Group, {}, group.name};
        return matches(named, proved->identity) &&
               (group.key == nullptr || (proved->psk != nullptr && *group.key == *proved->psk));
    };
    for (const auto& [name, group] : config.groups)
        if (is_of(group))
            return &group;
    const auto fallback = config.groups.find("default");
    return fallback == config.groups.end() ? nullptr : &fallback->second;
}

bool wants_push(const Turn& turn) {
    const Session& session = turn.session;
    const ClientAccess* access = access_of(turn.env.config, session);
    return session.open() && access != nullptr && access->initiate && !session.pushed &&
           !session.assigned && group_of(turn.env.config, session) != nullptr &&
           session.quick_modes.empty();
}

Verdict check_claim(const Turn& turn, const TrafficSelector& wanted) {
    const Session& session = turn.session;
    const ClientAccess* access = access_of(turn.env.config, session);
    const bool needs_address = session.login && access != nullptr && access->gives_addresses();
    if (!needs_address && !session.assigned)
        return {};
    const std::string theirs = ident_string(wanted.remote, wanted.protocol, wanted.remote_port);
    if (session.assigned && wanted.remote == Ipv4Range::host(session.assigned->address))
        return {};
    return refuse(
        Refusal{Failure::NotItsAddress,
                "user " + printable(session.user()) + " asks for " + theirs +
                    (session.assigned ? ", was given " + to_string(session.assigned->address)
                                      : ", was given no address")}
            .telling(NotifyType::InvalidIdInformation)
            .ending());
}

std::string printable(const std::string& name) {
    std::string text;
    for (const char character : name.substr(0, kMaxUserBytes))
        text += character > ' ' && character <= '~' ? character : '?';
    return text.empty() ? "(none)" : text;
}

} // namespace adit::ike

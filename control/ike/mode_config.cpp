// SPDX-License-Identifier: Apache-2.0
// Mode configuration, the gateway's side: a client gets an address and what its group says, when it
// asks (REQUEST and REPLY) or unasked (SET and ACK). Address and SAs belong together:
// flow_choice.cpp lets a client speak for the address it was given alone.
//
// Source: draft-ietf-ipsec-isakmp-mode-cfg-05 2 and 3.4.
#include "control/ike/transaction.h"

#include "common/version.h"

#include <algorithm>
#include <array>

namespace adit::ike {

namespace {

/// Which of several devices of one user: those behind a NAT differ in their ports.
std::string device_of(const Session& session) {
    return session.nat.peer_behind ? to_string(session.remote) : to_string(session.remote.address);
}

/// As far as the group's limits allow.
Status check_limits(const Turn& turn, const ClientGroup& group) {
    std::size_t users = 0;
    std::size_t logins = 0;
    for (const AddressLeasePtr& lease : turn.env.pools.leases()) {
        const bool same_user = lease->user == turn.session.user();
        if (same_user && lease->device == device_of(turn.session))
            continue;
        users += static_cast<std::size_t>(lease->group == group.name);
        logins += static_cast<std::size_t>(same_user);
    }
    if (group.max_users && users >= *group.max_users)
        return fail(ErrorCode::Exhausted,
                    "group " + group.name + " has " + std::to_string(users) + " clients already");
    if (group.max_logins && logins >= *group.max_logins)
        return fail(ErrorCode::Exhausted,
                    "user " + printable(turn.session.user()) + " is logged in " +
                        std::to_string(logins) + " times already");
    return {};
}

std::optional<Ipv4Address> address_asked_for(const ConfigPayload& request) {
    const ConfigAttributeView* asked = request.find(ConfigAttribute::InternalIp4Address);
    if (asked == nullptr || asked->value.size() != sizeof(std::uint32_t))
        return std::nullopt;
    return Ipv4Address{load_be<std::uint32_t>(asked->value.data())};
}

Status lend(Turn& turn, const ClientGroup& group, std::optional<Ipv4Address> wanted) {
    Session& session = turn.session;
    if (session.assigned)
        return {};
    if (group.pool.empty())
        return fail(ErrorCode::NotFound, "group " + group.name + " names no pool");
    TRY_VOID(check_limits(turn, group));
    const std::string user = session.login ? session.user() : device_of(session);
    session.assigned =
        TRY(turn.env.pools.lend({group.pool, group.name, user, device_of(session), wanted}));
    turn.out.emplace_back(AddressAssigned{});
    crypto_log(turn,
               Severity::Informational,
               "EZVPN_CONNECTION_UP",
               "(Server)  User=" + printable(user) + "  Group=" + group.name +
                   "  Client_public_addr=" + to_string(session.remote.address) +
                   "  Server_public_addr=" + to_string(session.local.address) +
                   "  Assigned_client_addr=" + to_string(session.assigned->address));
    return {};
}

std::string joined(const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& name : names)
        text += (text.empty() ? "" : ",") + name;
    return text;
}

void add_text(ConfigWriter& answer, ConfigAttribute type, const std::string& text) {
    if (!text.empty())
        answer.add(type, text);
}

/// What of one kind the group has, if anything.
void add_value(Turn& turn, const ClientGroup& group, ConfigAttribute type, ConfigWriter& answer) {
    const Session& session = turn.session;
    switch (type) {
    case ConfigAttribute::InternalIp4Address:
        if (session.assigned)
            answer.add(type, session.assigned->address);
        return;
    case ConfigAttribute::InternalIp4Netmask:
        if (session.assigned && group.netmask)
            answer.add(type, *group.netmask);
        return;
    case ConfigAttribute::InternalIp4Dns:
        for (const Ipv4Address server : group.dns)
            answer.add(type, server);
        return;
    case ConfigAttribute::InternalIp4Nbns:
        for (const Ipv4Address server : group.wins)
            answer.add(type, server);
        return;
    case ConfigAttribute::InternalAddressExpiry: {
        const auto left =
            std::chrono::duration_cast<std::chrono::seconds>(secured(turn).expires - turn.now());
        Writer seconds;
        seconds.u32(static_cast<std::uint32_t>(std::max<std::int64_t>(left.count(), 0)));
        answer.add(type, seconds.view());
        return;
    }
    case ConfigAttribute::ApplicationVersion:
        return add_text(answer, type, std::string{"Adit "} + kVersion);
    case ConfigAttribute::UnityBanner:
        return add_text(answer, type, group.banner);
    case ConfigAttribute::UnityDefaultDomain:
        return add_text(answer, type, group.domain);
    case ConfigAttribute::UnitySplitDns:
        return add_text(answer, type, joined(group.split_dns));
    case ConfigAttribute::UnityBackupServers:
        return add_text(answer, type, joined(group.backup_gateways));
    case ConfigAttribute::UnitySavePassword:
        answer.add_short(type, group.save_password ? 1 : 0);
        return;
    case ConfigAttribute::UnityPfs:
        answer.add_short(type, group.pfs ? 1 : 0);
        return;
    case ConfigAttribute::UnitySplitInclude: {
        Bytes networks;
        for (const Ipv4Prefix& network : group.split) {
            const Bytes entry = split_network(network);
            networks.insert(networks.end(), entry.begin(), entry.end());
        }
        if (!networks.empty())
            answer.add(type, networks);
        return;
    }
    default:
        return; // what we do not have is left out
    }
}

Verdict answer_request(Turn& turn, const ConfigPayload& request) {
    const ClientAccess* access = access_of(turn.env.config, turn.session);
    const ClientGroup* group = group_of(turn.env.config, turn.session);
    if (access == nullptr || !access->respond || group == nullptr)
        return refuse(Refusal{Failure::NoAddress,
                              "peer asks for its configuration; neither profile nor crypto map "
                              "answers, or no client group is for this peer"}
                          .telling(NotifyType::AttributesNotSupported)
                          .ending());
    turn.session.group = group->name;
    if (request.has(ConfigAttribute::InternalIp4Address))
        if (const Status lent = lend(turn, *group, address_asked_for(request)); !lent)
            report(turn, {Failure::NoAddress, lent.error().text});
    ConfigWriter answer{ConfigMessage::Reply, request.identifier};
    std::vector<ConfigAttribute> answered;
    for (const ConfigAttributeView& asked : request.attributes) {
        if (std::ranges::find(answered, asked.type) != answered.end())
            continue; // clients ask twice for two servers
        answered.push_back(asked.type);
        add_value(turn, *group, asked.type, answer);
    }
    send_config(turn, answer.take());
    return {};
}

/// What a client that does not ask needs to know.
constexpr std::array kPushed = {
    ConfigAttribute::InternalIp4Address,
    ConfigAttribute::InternalIp4Netmask,
    ConfigAttribute::InternalIp4Dns,
    ConfigAttribute::InternalIp4Nbns,
    ConfigAttribute::UnityBanner,
    ConfigAttribute::UnityDefaultDomain,
    ConfigAttribute::UnitySplitDns,
    ConfigAttribute::UnitySplitInclude,
};

} // namespace

Verdict answer_config(Turn& turn) {
    turn.transaction->identifier = 0;
    const ConfigPayload payload = TRY(take_config(turn));
    if (payload.message == ConfigMessage::Request && !payload.is_xauth())
        return answer_request(turn, payload);
    return refuse(Refusal{Failure::UnexpectedMessage,
                          payload.is_xauth()
                              ? "peer asks us for a user name; none is configured for it"
                              : name(payload.message) + " of settings: we take none"}
                      .telling(NotifyType::AttributesNotSupported)
                      .ending());
}

Verdict push_config(Turn& turn) {
    const ClientGroup* group = group_of(turn.env.config, turn.session);
    ENSURE(group != nullptr);
    turn.session.group = group->name;
    remember_id(turn.session, turn.transaction->id);
    if (const Status lent = lend(turn, *group, {}); !lent)
        return refuse(Refusal{Failure::NoAddress, lent.error().text}.ending());
    ConfigWriter settings{ConfigMessage::Set, turn.transaction->identifier};
    for (const ConfigAttribute type : kPushed)
        add_value(turn, *group, type, settings);
    send_config(turn, settings.take());
    return {};
}

Verdict accept_config_ack(Turn& turn) {
    const ConfigPayload answer = TRY(take_config(turn));
    if (answer.message != ConfigMessage::Ack)
        return refuse({Failure::UnexpectedMessage, name(answer.message) + " where an ACK was due"});
    return {};
}

Verdict forget_transaction(Turn& turn) {
    end_transaction(turn);
    return {};
}

} // namespace adit::ike

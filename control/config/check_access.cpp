// SPDX-License-Identifier: Apache-2.0
#include "control/config/check_parts.h"

namespace adit::config {

namespace {

class AccessPart : Part {
  public:
    using Part::Part;

    void run() {
        for (const auto& [map, access] : config_.client_access)
            check_map_access(map, access);
        for (const auto& [name, group] : config_.client_groups)
            check_group(name, group);
    }

  private:
    void check_map_access(const std::string& map, const ClientAccess& access) {
        const std::string what = "crypto map " + map;
        if (!config_.crypto_maps.contains(map))
            add(Severity::Error, what + " client", "there is no " + what);
        check_access(facts_, findings_, what, what + " client", what, access);
    }

    void check_group(const std::string& name, const ClientGroup& group) {
        const std::string origin = "client group " + name;
        const std::string what = "client group " + name;
        if (group.pool.empty())
            add(Severity::Warning, origin, what + " has no pool: its clients get no address");
        else if (!config_.pools.contains(group.pool))
            add(Severity::Error,
                origin + " pool",
                what + ": there is no pool " + group.pool,
                "write ip local pool " + group.pool);
        if (group.acl.empty())
            return;
        const auto list = config_.access_lists.find(group.acl);
        if (list == config_.access_lists.end())
            return add(Severity::Error,
                       origin + " acl",
                       what + ": there is no access list " + group.acl,
                       "write ip access-list extended " + group.acl);
        for (const AclLine& line : list->second.lines)
            if (line.remark.empty() && (!line.permit || !is_subnet(line.source)))
                add(Severity::Error,
                    "access-list " + group.acl + ' ' + std::to_string(line.sequence),
                    what + ": line " + std::to_string(line.sequence) + " of access list " +
                        group.acl + " is not a permitted subnet, which is all a client takes");
    }
};

} // namespace

void check_access(const Facts& facts,
                  Findings& findings,
                  const std::string& what,
                  const std::string& origin,
                  const std::string& before,
                  const ClientAccess& access) {
    const Config& config = facts.config();
    const std::string line = before.empty() ? "write " : "write " + before + " ";
    if (!config.aaa_new_model)
        findings.add(Severity::Warning,
                     origin,
                     what + " names lists, and aaa new-model is not written",
                     "write aaa new-model");
    const std::string& login = access.authentication_list;
    if (!login.empty() && !config.login_lists.contains(login))
        findings.add(Severity::Error,
                     origin,
                     what + ": there is no login list " + login + " of local users; nobody gets in",
                     "write aaa authentication login " + login + " local");
    if (!login.empty() && config.users.empty())
        findings.add(Severity::Warning,
                     origin,
                     what + " asks clients for a user name, and there are no users",
                     "write username NAME secret 0 PASSWORD");
    const std::string& network = access.authorization_list;
    if (!network.empty() && !config.network_lists.contains(network))
        findings.add(Severity::Error,
                     origin,
                     what + ": there is no network list " + network + " of local groups",
                     "write aaa authorization network " + network + " local");
    if ((access.respond || access.initiate) && network.empty())
        findings.add(Severity::Error,
                     origin,
                     what + " gives addresses and does not say where groups are known",
                     line + "isakmp authorization list");
    if (!access.group.empty() && !config.client_groups.contains(access.group))
        findings.add(Severity::Error,
                     origin,
                     what + ": there is no client group " + access.group,
                     "write crypto isakmp client configuration group " + access.group);
    if (login.empty())
        findings.add(Severity::Warning,
                     origin,
                     "clients of " + what + " are let in by what proves them in phase 1 alone",
                     line + "client authentication list");
}

void check_remote_access(const Facts& facts, Findings& findings) {
    AccessPart{facts, findings}.run();
}

} // namespace adit::config

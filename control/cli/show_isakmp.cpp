// SPDX-License-Identifier: Apache-2.0
#include "control/cli/show_isakmp.h"

#include "control/cli/show_text.h"
#include "control/config/isakmp_policies.h"

#include <algorithm>
#include <set>

namespace adit::cli {
namespace {

using ike::CipherAlgorithm;
using ike::Failure;
using ike::HashAlgorithm;
using ike::IsakmpSaView;

using Number = unsigned long long; // what %llu takes

/// As `show crypto isakmp sa detail` says it: the key length is not part of the name.
const char* short_name(CipherAlgorithm cipher) {
    return cipher == CipherAlgorithm::TripleDesCbc ? "3des" : "aes";
}

const char* short_name(HashAlgorithm hash) {
    switch (hash) {
    case HashAlgorithm::Md5:
        return "md5";
    case HashAlgorithm::Sha1:
        return "sha";
    case HashAlgorithm::Sha256:
        return "sha256";
    case HashAlgorithm::Sha384:
        return "sha384";
    case HashAlgorithm::Sha512:
        return "sha512";
    }
    return "";
}

const char* short_name(ike::Authentication authentication) {
    switch (authentication) {
    case ike::Authentication::PreSharedKey:
        return "psk";
    case ike::Authentication::RsaSignature:
        return "rsig";
    case ike::Authentication::EcdsaSignature:
        return "ecsg";
    }
    return "";
}

std::string long_name(CipherAlgorithm cipher) {
    if (cipher == CipherAlgorithm::TripleDesCbc)
        return "Three key triple DES";
    return text("AES - Advanced Encryption Standard (%u bit keys).", ike::info(cipher).key_bits);
}

std::string long_name(HashAlgorithm hash) {
    switch (hash) {
    case HashAlgorithm::Md5:
        return "Message Digest 5";
    case HashAlgorithm::Sha1:
        return "Secure Hash Standard";
    default:
        return text("Secure Hash Standard 2 (%u bit)", ike::info(hash).digest_bytes * 8U);
    }
}

const char* long_name(config::AuthenticationMethod method) {
    switch (method) {
    case config::AuthenticationMethod::PreShare:
        return "Pre-Shared Key";
    case config::AuthenticationMethod::RsaSig:
        return "Rivest-Shamir-Adleman Signature";
    case config::AuthenticationMethod::EcdsaSig:
        return "Elliptic Curve Digital Signature Algorithm";
    }
    return "";
}

std::string long_name(ike::Group group) {
    const auto* known = std::ranges::find(ike::kGroups, group, &ike::GroupInfo::group);
    if (known == ike::kGroups.end())
        return text("#%u", static_cast<unsigned>(group));
    return text("#%u (%u bit)", static_cast<unsigned>(group), known->bits);
}

bool is_initiator(const IsakmpSaView& sa) {
    return sa.role == ike::Role::Initiator;
}

std::string capabilities(const IsakmpSaView& sa) {
    std::string letters;
    if (sa.assigned)
        letters += 'C';
    if (sa.dpd)
        letters += 'D';
    if (sa.login)
        letters += 'X';
    if (sa.nat_traversal)
        letters += 'N';
    return letters;
}

enum class Slot : bool { Hidden, Shown };

void append_sa_row(std::string& out, const IsakmpSaView& sa, Slot slot = Slot::Hidden) {
    const Endpoint& responder = is_initiator(sa) ? sa.remote : sa.local;
    const Endpoint& initiator = is_initiator(sa) ? sa.local : sa.remote;
    append(out,
           "%-15s %-15s %-14s %7u %s%s\n",
           to_string(responder.address).c_str(),
           to_string(initiator.address).c_str(),
           sa.state.c_str(),
           sa.conn_id.value,
           slot == Slot::Shown ? "   0 " : "",
           sa.deleted ? "ACTIVE (deleted)" : "ACTIVE");
}

void append_detail_row(std::string& out, const Snapshot& snapshot, const IsakmpSaView& sa) {
    const bool agreed = sa.policy.has_value();
    append(out,
           "%-5u %-15s %-15s %-6s %-6s %-4s %-6s %-4s %-2u %-8s %-4s\n",
           sa.conn_id.value,
           to_string(sa.local.address).c_str(),
           to_string(sa.remote.address).c_str(),
           "",
           "ACTIVE",
           agreed ? short_name(sa.policy->cipher) : "",
           agreed ? short_name(sa.policy->hash) : "",
           agreed ? short_name(sa.policy->authentication) : "",
           agreed ? static_cast<unsigned>(sa.policy->group) : 0U,
           sa.expires ? hms(seconds_between(snapshot.now, *sa.expires)).c_str() : "0",
           capabilities(sa).c_str());
    const std::uint32_t engine_id = sa.conn_id.value > 1000 ? sa.conn_id.value - 1000 : 0;
    append(out, "       Engine-id:Conn-id =  SW:%u\n\n", engine_id);
}

void append_policy(std::string& out,
                   const char* suite,
                   std::uint32_t priority,
                   const config::IsakmpPolicy& policy) {
    append(out, "%s of priority %u\n", suite, priority);
    append(out, "\tencryption algorithm:\t%s\n", long_name(policy.encryption).c_str());
    append(out, "\thash algorithm:\t\t%s\n", long_name(policy.hash).c_str());
    append(out, "\tauthentication method:\t%s\n", long_name(policy.authentication));
    append(out, "\tDiffie-Hellman group:\t%s\n", long_name(policy.group).c_str());
    append(out, "\tlifetime:\t\t%u seconds, no volume limit\n", policy.lifetime_seconds);
}

/// In the order of the enumeration; what an operator can do about it is in the words.
constexpr std::array kFailureMeanings = {
    "message does not parse",
    "no ISAKMP SA has these cookies and it is no first message",
    "no pre-shared key is configured for this peer",
    "as responder: no policy of ours is among the peer's phase 1 offers",
    "the peer refused every phase 1 policy of ours",
    "pre-shared keys differ: decryption or HASH of message 5 or 6 wrong",
    "the peer identifies itself other than configured",
    "as responder: no transform set of ours is among the peer's offers",
    "the peer refused every transform set of ours",
    "as responder: proxy identities match no line of our access list",
    "as responder: proxy identities overlap what another peer holds",
    "the peer refused our proxy identities",
    "perfect forward secrecy: group missing or other than configured",
    "no answer in phase 1 after all retransmissions",
    "no answer in quick mode after all retransmissions",
    "HASH of a quick mode or informational message wrong",
    "message must be encrypted and is not",
    "message does not fit the state of its exchange",
    "Diffie-Hellman public value refused",
    "the peer no longer answers dead peer detection",
    "too many half-open negotiations",
    "the dataplane refused to install an SA",
    "an IKE fragment fits nowhere, or the rest of its message did not come",
    "user name unknown or password wrong",
    "the client does not say who it is",
    "no address to lend to a client",
    "a client asked for SAs of an address it was not given",
    "no certificate of ours fits the agreed method",
    "the peer's certificate is refused: expired, revoked, of an unknown CA ...",
    "the peer's signature does not verify",
    "the peer refused our certificate or signature",
};
static_assert(kFailureMeanings.size() == static_cast<std::size_t>(Failure::Count_));

std::string owner_column(const config::IsakmpKey& key) {
    if (!key.hostname.empty())
        return key.hostname;
    const std::string address = to_string(key.address.address);
    if (key.address.length == 32)
        return address;
    return text("%-14s [%-15s]", address.c_str(), to_string(key.address.mask()).c_str());
}

void append_keys(std::string& out,
                 const std::string& keyring,
                 const std::vector<config::IsakmpKey>& keys) {
    for (const config::IsakmpKey& key : keys)
        append(out, "%-12s %-43s %s\n", keyring.c_str(), owner_column(key).c_str(), "<hidden>");
}

/// As `show crypto isakmp profile` lists what a profile matches.
std::string match_line(const ike::IdentityMatch& match) {
    using Kind = ike::IdentityMatch::Kind;
    switch (match.kind) {
    case Kind::Address:
        return "ip-address " + to_string(match.address.address) + ' ' +
               to_string(match.address.mask());
    case Kind::Host:
        return "fqdn " + match.text;
    case Kind::HostDomain:
        return "fqdn-domain " + match.text;
    case Kind::User:
        return "user-fqdn " + match.text;
    case Kind::UserDomain:
        return "user-fqdn-domain " + match.text;
    case Kind::Group:
        return "group " + match.text;
    case Kind::Any:
        break;
    }
    return "any";
}

} // namespace

std::string show_isakmp_profile(const Snapshot& snapshot) {
    std::string out;
    for (const auto& [name, profile] : snapshot.config->isakmp_profiles) {
        out += "\nISAKMP PROFILE " + name + "\n   Identities matched are:\n";
        for (const ike::IdentityMatch& match : profile.matches)
            out += "    " + match_line(match) + '\n';
        out += "   keyring(s): ";
        for (const std::string& keyring : profile.keyrings)
            out += keyring + ' ';
        out += profile.keyrings.empty() ? "<none>\n" : "\n";
        out += "   trustpoint(s): <all>\n";
    }
    return out;
}

std::string show_isakmp_sa(const Snapshot& snapshot) {
    std::string out = "IPv4 Crypto ISAKMP SA\n"
                      "dst             src             state          conn-id status\n";
    for (const IsakmpSaView& sa : snapshot.isakmp)
        append_sa_row(out, sa);
    return out + "\nIPv6 Crypto ISAKMP SA\n\n";
}

std::string show_isakmp_sa_active(const Snapshot& snapshot) {
    std::string out = show_isakmp_sa_standby(snapshot);
    for (const IsakmpSaView& sa : snapshot.isakmp)
        append_sa_row(out, sa, Slot::Shown);
    return out + '\n';
}

/// Nothing is kept ready for another box.
std::string show_isakmp_sa_standby(const Snapshot&) {
    return "IPv4 Crypto ISAKMP SA\n"
           "dst             src             state          conn-id slot status\n";
}

std::string show_isakmp_sa_detail(const Snapshot& snapshot) {
    std::string out =
        "Codes: C - IKE configuration mode, D - Dead Peer Detection\n"
        "       K - Keepalives, N - NAT-traversal\n"
        "       T - cTCP encapsulation, X - IKE Extended Authentication\n"
        "       psk - Preshared key, rsig - RSA signature\n"
        "       renc - RSA encryption\n"
        "IPv4 Crypto ISAKMP SA\n\n"
        "C-id  Local           Remote          I-VRF  Status Encr Hash   Auth DH Lifetime Cap.\n\n";
    for (const IsakmpSaView& sa : snapshot.isakmp)
        append_detail_row(out, snapshot, sa);
    return out + "IPv6 Crypto ISAKMP SA\n\n";
}

std::string show_isakmp_sa_count(const Snapshot& snapshot) {
    Number active = 0;
    Number negotiating = 0;
    Number dead = 0;
    for (const IsakmpSaView& sa : snapshot.isakmp)
        ++(sa.deleted ? dead : sa.established ? active : negotiating);
    return text("Active ISAKMP SA's: %llu\n\n"
                "Standby ISAKMP SA's: 0\n\n"
                "Currently being negotiated ISAKMP SA's: %llu\n\n"
                "Dead ISAKMP SA's: %llu\n\n",
                active,
                negotiating,
                dead);
}

std::string show_isakmp_policy(const Snapshot& snapshot) {
    const auto& policies = snapshot.config->isakmp_policies;
    if (policies.empty())
        return show_isakmp_default_policy(snapshot);
    std::string out = "\nGlobal IKE policy\n";
    for (const auto& [priority, policy] : policies)
        append_policy(out, "Protection suite", priority, policy);
    return out;
}

std::string show_isakmp_default_policy(const Snapshot& snapshot) {
    std::string out = "\nDefault IKE policy\n";
    if (!config::has_default_isakmp_policies(*snapshot.config))
        return out + (snapshot.config->isakmp_default_policies
                          ? "Not in use: \"crypto isakmp policy\" is configured.\n"
                          : "Switched off by \"no crypto isakmp default policy\".\n");
    for (const auto& [priority, policy] : config::default_isakmp_policies())
        append_policy(out, "Default protection suite", priority, policy);
    return out;
}

std::string show_isakmp_key(const Snapshot& snapshot) {
    std::string out = "Keyring      Hostname/Address                            Preshared Key\n\n";
    append_keys(out, "default", snapshot.config->isakmp_keys);
    for (const auto& [name, keyring] : snapshot.config->keyrings)
        append_keys(out, name, keyring.keys);
    return out;
}

std::string show_isakmp_peers(const Snapshot& snapshot) {
    std::set<std::pair<Endpoint, Endpoint>> seen;
    std::string out;
    for (const IsakmpSaView& sa : snapshot.isakmp) {
        if (sa.deleted || !seen.emplace(sa.remote, sa.local).second)
            continue;
        append(out,
               "Peer: %s Port: %u Local: %s\n Phase1 id: %s\n",
               to_string(sa.remote.address).c_str(),
               sa.remote.port,
               to_string(sa.local.address).c_str(),
               sa.peer_identity.empty() ? "(none)" : sa.peer_identity.c_str());
        // What `debug crypto condition isakmp cookie` asks for.
        for (const IsakmpSaView& each : snapshot.isakmp)
            if (!each.deleted && each.remote == sa.remote && each.local == sa.local)
                append(out,
                       " SA %u: cookies 0x%016llX (initiator) 0x%016llX (responder)\n",
                       each.conn_id.value,
                       Number{each.initiator_cookie.value},
                       Number{each.responder_cookie.value});
    }
    return out;
}

std::string show_isakmp_failures(const Snapshot& snapshot) {
    std::string out = text("%-24s %10s  %s\n", "Failure", "Count", "Meaning");
    for (std::size_t i = 0; i < kFailureMeanings.size(); ++i)
        append(out,
               "%-24s %10llu  %s\n",
               ike::to_string(static_cast<Failure>(i)),
               Number{snapshot.ike_counters.failures[i]},
               kFailureMeanings[i]);
    return out;
}

} // namespace adit::cli

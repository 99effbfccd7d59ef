// SPDX-License-Identifier: Apache-2.0
#include "control/ike/memory.h"

#include "control/ike/codec.h"

#include <algorithm>
#include <set>

namespace adit::ike {

template <> inline constexpr std::uint64_t kEndOf<HashAlgorithm> = kHashes.size();
template <> inline constexpr std::uint64_t kEndOf<CipherAlgorithm> = kCiphers.size();
template <> inline constexpr std::uint64_t kEndOf<EspCipher> = kEspCiphers.size();
template <> inline constexpr std::uint64_t kEndOf<EspMac> = kEspMacs.size();
template <>
inline constexpr std::uint64_t kEndOf<State> = static_cast<std::uint64_t>(State::Count_);
template <>
inline constexpr std::uint64_t kEndOf<TimerRule> =
    static_cast<std::uint64_t>(TimerRule::Lifetime) + 1;

// --- what each type consists of -----------------------------------------------------------------

template <class Codec, As<Ipv4Address> T> void fields(Codec& codec, T& address) {
    codec(address.value);
}

template <class Codec, As<Endpoint> T> void fields(Codec& codec, T& endpoint) {
    codec(endpoint.address, endpoint.port);
}

template <class Codec, As<Ipv4Range> T> void fields(Codec& codec, T& range) {
    codec(range.first, range.last);
}

template <class Codec, As<PortRange> T> void fields(Codec& codec, T& range) {
    codec(range.first, range.last);
}

template <class Codec, As<TrafficSelector> T> void fields(Codec& codec, T& selector) {
    codec(selector.local,
          selector.remote,
          selector.protocol,
          selector.local_port,
          selector.remote_port);
}

template <class Codec, As<CookiePair> T> void fields(Codec& codec, T& cookies) {
    codec(cookies.initiator, cookies.responder);
}

template <class Codec, As<Identity> T> void fields(Codec& codec, T& identity) {
    codec(identity.type, identity.protocol, identity.port, identity.data);
}

template <class Codec, As<VendorSet> T> void fields(Codec& codec, T& vendors) {
    codec(vendors.words());
}

template <class Codec, As<NatState> T> void fields(Codec& codec, T& nat) {
    codec(nat.version, nat.local_behind, nat.peer_behind);
}

template <class Codec, As<DpdState> T> void fields(Codec& codec, T& dpd) {
    codec(dpd.sequence, dpd.tries, dpd.due, dpd.peer_sequence);
}

template <class Codec, As<PasswordHash> T> void fields(Codec& codec, T& hash) {
    codec(hash.kind, hash.salt, hash.digest);
}

template <class Codec, As<Login> T> void fields(Codec& codec, T& login) {
    codec(login.pending, login.tries, login.user, login.proof);
}

template <class Codec, As<IvChain::Position> T> void fields(Codec& codec, T& position) {
    codec(position.hash, position.cipher, position.message_id, position.iv);
}

static void fields(Saver& saver, const IvChain& chain) {
    saver(chain.position());
}

static void fields(Loader& loader, IvChain& chain) {
    IvChain::Position position;
    loader(position);
    chain = IvChain{position};
}

static void fields(Saver& saver, const SharedKey& key) {
    saver(key == nullptr ? ByteView{} : key->view());
}

static void fields(Loader& loader, SharedKey& key) {
    SecretBuffer octets;
    loader(octets);
    key = octets.empty() ? nullptr : std::make_shared<const SecretBuffer>(std::move(octets));
}

/// But for the job, which died with the process.
template <class Codec, As<Leg> T> void fields(Codec& codec, T& leg) {
    codec(
        leg.state, leg.timer, leg.sends, leg.due, leg.give_up, leg.sent_at, leg.sent, leg.answered);
}

template <class Codec, As<Phase1Policy> T> void fields(Codec& codec, T& policy) {
    codec(policy.priority,
          policy.cipher,
          policy.hash,
          policy.group,
          policy.lifetime,
          policy.authentication,
          policy.xauth);
}

template <class Codec, As<Secured> T> void fields(Codec& codec, T& keys) {
    codec(keys.policy,
          keys.skeyid_d,
          keys.skeyid_a,
          keys.cipher_key,
          keys.iv,
          keys.identity,
          keys.peer_identity,
          keys.psk,
          keys.since,
          keys.rekey_at,
          keys.expires);
}

/// But for what its state's data, its quick modes and its leases are; and its transactions, queue
/// and told refusals, which the peer asks for again.
template <class Codec, As<Session> T> void fields(Codec& codec, T& session) {
    codec(session.id,
          session.role,
          session.phase1,
          session.profile,
          session.cookies,
          session.local,
          session.remote,
          session.configured,
          session.conn_id,
          session.vendors,
          session.nat,
          session.rekey_started,
          session.created,
          session.dpd,
          session.keepalive_due,
          session.first_contact,
          session.client,
          session.login,
          session.group,
          session.pushed,
          session.used_message_ids);
}

template <class Codec, As<Phase2Transform> T> void fields(Codec& codec, T& transform) {
    codec(transform.name,
          transform.cipher,
          transform.mac,
          transform.transport,
          transform.esn,
          transform.transport_required);
}

template <class Codec, As<TransformOut> T> void fields(Codec& codec, T& transform) {
    codec(transform.number, transform.id, transform.attributes);
}

template <class Codec, As<Phase2Choice> T> void fields(Codec& codec, T& choice) {
    codec(choice.algorithms,
          choice.spi,
          choice.pfs,
          choice.lifetime,
          choice.kilobytes,
          choice.seconds_shortened,
          choice.kilobytes_shortened,
          choice.proposal_number,
          choice.transform);
}

template <class Codec, As<DhKeyPair> T> void fields(Codec& codec, T& pair) {
    codec(pair.group, pair.private_key, pair.public_value);
}

template <class Codec, As<InstallSaAction> T> void fields(Codec& codec, T& install) {
    codec(install.sa,
          install.spi,
          install.inbound_spi,
          install.inbound,
          install.policy,
          install.local,
          install.remote,
          install.cipher,
          install.mac,
          install.esn,
          install.transport,
          install.replay_window,
          install.selector,
          install.original_local,
          install.original_remote,
          install.soft_bytes,
          install.hard_bytes,
          install.key,
          install.mac_key);
}

/// But for its lease.
template <class Codec, As<QuickMode> T> void fields(Codec& codec, T& quick) {
    codec(quick.id,
          quick.role,
          quick.leg,
          quick.iv,
          quick.started,
          quick.connection,
          quick.policy,
          quick.pfs,
          quick.selector,
          quick.replay_window,
          quick.nonce_i,
          quick.nonce_r,
          quick.pair,
          quick.peer_public,
          quick.g_xy,
          quick.choice,
          quick.answer_idci,
          quick.answer_idcr,
          quick.inbound_spi,
          quick.inbound_sa,
          quick.outbound_sa,
          quick.outbound,
          quick.commit,
          quick.original_local,
          quick.original_remote,
          quick.inbound_installed);
}

/// But for its leases.
template <class Codec, As<ChildSa> T> void fields(Codec& codec, T& sa) {
    codec(sa.inbound_sa,
          sa.outbound_sa,
          sa.inbound_spi,
          sa.outbound_spi,
          sa.policy,
          sa.connection,
          sa.role,
          sa.local,
          sa.remote,
          sa.udp_encapsulated,
          sa.algorithms,
          sa.pfs,
          sa.replay_window,
          sa.selector,
          sa.original_local,
          sa.original_remote,
          sa.lifetime,
          sa.kilobytes,
          sa.isakmp,
          sa.peer_identity,
          sa.profile,
          sa.user,
          sa.started);
}

template <class Codec, As<Child> T> void fields(Codec& codec, T& child) {
    codec(child.sa,
          child.established_at,
          child.rekey_at,
          child.expires,
          child.retire_at,
          child.established,
          child.current,
          child.outbound_installed,
          child.recalled,
          child.astray,
          child.volume_spent);
}

template <class Codec, As<HeldOutbound::Held> T> void fields(Codec& codec, T& held) {
    codec(held.install, held.until);
}

template <class Codec, As<Claimant> T> void fields(Codec& codec, T& claimant) {
    codec(claimant.identity, claimant.at, claimant.user);
}

template <class Codec, As<AddressLease> T> void fields(Codec& codec, T& lease) {
    codec(lease.address, lease.pool, lease.group, lease.user, lease.device);
}

template <class Codec, As<Numbers> T> void fields(Codec& codec, T& numbers) {
    codec(numbers.next_session, numbers.next_conn_id, numbers.next_sa_id, numbers.cookie_secret);
}

// --- leases: what is shared in the process is written down with each that holds it --------------

static void save_lease(Saver& saver, const FlowLease& lease) {
    saver(lease != nullptr);
    if (lease != nullptr)
        saver(lease->policy, lease->connection, lease->selector, lease->claimant, lease->added);
}

static FlowLease load_lease(Loader& loader, RuntimeFlows& flows) {
    bool there{};
    loader(there);
    RuntimeFlow flow{PolicyId{}, {}, {}, std::nullopt};
    if (there)
        loader(flow.policy, flow.connection, flow.selector, flow.claimant, flow.added);
    return there && !loader.failed() ? flows.resume(flow) : nullptr;
}

static void save_lease(Saver& saver, const AddressLeasePtr& lease) {
    saver(lease != nullptr);
    if (lease != nullptr)
        saver(*lease);
}

static AddressLeasePtr load_lease(Loader& loader, AddressPools& pools) {
    std::optional<AddressLease> lease;
    loader(lease);
    return lease && !loader.failed() ? pools.resume(*lease) : nullptr;
}

// --- records ------------------------------------------------------------------------------------

JournalKey memory_key(MemoryKind kind, std::uint64_t number, std::uint32_t part) {
    return {static_cast<std::uint32_t>(kind), part, number};
}

bool is_lasting(const Session& session) {
    return session.leg.state == State::Established && session.open();
}

bool is_lasting(const QuickMode& quick) {
    switch (quick.leg.state) {
    case State::QmInitiatorQm1:
    case State::QmInitiatorQm3:
    case State::QmResponderQm2:
    case State::QmDone:
        return true;
    default:
        return false;
    }
}

JournalEntry remember(const Numbers& numbers) {
    Saver saver;
    saver(numbers);
    return {memory_key(MemoryKind::Numbers, 0), saver.take()};
}

JournalEntry remember(const Session& session, Instant now) {
    Saver saver;
    const Leg& leg = session.leg;
    const bool may_be_asked_for = leg.sent_at + kLingerTime > now;
    saver(session,
          leg.state,
          leg.timer,
          leg.due,
          leg.sent_at,
          may_be_asked_for ? ByteView{leg.sent} : ByteView{},
          leg.answered,
          *session.secured());
    save_lease(saver, session.assigned);
    return {memory_key(MemoryKind::Session, session.id.value), saver.take()};
}

JournalEntry remember(SessionId session, const QuickMode& quick) {
    Saver saver;
    saver(quick);
    save_lease(saver, quick.lease);
    return {memory_key(MemoryKind::QuickMode, session.value, quick.id.value), saver.take()};
}

JournalEntry remember(const Child& child) {
    Saver saver;
    saver(child);
    save_lease(saver, child.sa.lease);
    save_lease(saver, child.sa.assigned);
    return {memory_key(MemoryKind::Child, child.sa.inbound_sa.value), saver.take()};
}

JournalEntry remember(const InstallSaAction& install) {
    Saver saver;
    saver(install);
    return {memory_key(MemoryKind::Install, install.sa.value), saver.take()};
}

JournalEntry remember(SaId inbound, const HeldOutbound::Held& held) {
    Saver saver;
    saver(held);
    return {memory_key(MemoryKind::Held, inbound.value), saver.take()};
}

// --- and back -----------------------------------------------------------------------------------

namespace {

IvChain no_chain() {
    return IvChain{IvChain::Position{}};
}

class Recollector {
  public:
    Recollector(AddressPools& pools, RuntimeFlows& flows) : pools_(pools), flows_(flows) {}

    Status take(const JournalEntry& entry) {
        Loader loader{entry.octets.view()};
        switch (static_cast<MemoryKind>(entry.key.kind)) {
        case MemoryKind::Numbers:
            loader(all_.numbers.emplace());
            break;
        case MemoryKind::Session:
            load_session(loader);
            break;
        case MemoryKind::QuickMode:
            load_quick_mode(loader, SessionId{entry.key.number});
            break;
        case MemoryKind::Child:
            load_child(loader);
            break;
        case MemoryKind::Install:
            loader(all_.installs.emplace_back());
            break;
        case MemoryKind::Held:
            loader(all_.held.emplace_back());
            break;
        default:
            return {};
        }
        if (!loader.done())
            return fail(ErrorCode::Malformed,
                        "record " + std::to_string(entry.key.number) + " of kind " +
                            std::to_string(entry.key.kind) + " cannot be read");
        return {};
    }

    /// What fits together.
    Recollection finish() {
        std::set<SaId> halves; // that a quick mode will complete
        for (auto& [session, quick] : quick_modes_) {
            const auto owner = all_.sessions.find(session);
            if (owner == all_.sessions.end())
                continue;
            if (quick->inbound_installed && quick->leg.state != State::QmDone) {
                if (!children_.contains(quick->inbound_sa))
                    continue;
                halves.insert(quick->inbound_sa);
            }
            owner->second.quick_modes.push_back(std::move(quick));
        }
        for (auto& [id, child] : children_)
            if (child.established || halves.contains(id))
                all_.children.push_back(std::move(child));
        return std::move(all_);
    }

  private:
    void load_session(Loader& loader) {
        Session session;
        auto keys = std::make_unique<Secured>(Secured{.policy = {},
                                                      .skeyid_d = {},
                                                      .skeyid_a = {},
                                                      .cipher_key = {},
                                                      .iv = no_chain(),
                                                      .identity = {},
                                                      .peer_identity = {},
                                                      .psk = nullptr,
                                                      .since = {},
                                                      .rekey_at = {},
                                                      .expires = {}});
        Leg& leg = session.leg;
        loader(session, leg.state, leg.timer, leg.due, leg.sent_at, leg.sent, leg.answered, *keys);
        session.assigned = load_lease(loader, pools_);
        session.data = std::move(keys);
        if (!loader.failed())
            all_.sessions.emplace(session.id, std::move(session));
    }

    void load_quick_mode(Loader& loader, SessionId session) {
        auto quick = std::make_unique<QuickMode>(QuickMode{.id = {}, .iv = no_chain()});
        loader(*quick);
        quick->lease = load_lease(loader, flows_);
        quick_modes_.emplace_back(session, std::move(quick));
    }

    void load_child(Loader& loader) {
        Child child;
        loader(child);
        child.sa.lease = load_lease(loader, flows_);
        child.sa.assigned = load_lease(loader, pools_);
        const SaId id = child.sa.inbound_sa;
        children_.emplace(id, std::move(child));
    }

    AddressPools& pools_;
    RuntimeFlows& flows_;
    Recollection all_;
    std::vector<std::pair<SessionId, std::unique_ptr<QuickMode>>> quick_modes_;
    std::map<SaId, Child> children_;
};

} // namespace

Result<Recollection>
recollect(const std::vector<JournalEntry>& entries, AddressPools& pools, RuntimeFlows& flows) {
    Recollector recollector{pools, flows};
    for (const JournalEntry& entry : entries)
        TRY_VOID(recollector.take(entry));
    return recollector.finish();
}

} // namespace adit::ike

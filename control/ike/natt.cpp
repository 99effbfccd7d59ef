// SPDX-License-Identifier: Apache-2.0
#include "control/ike/payload_id.h"
#include "control/ike/step.h"

namespace adit::ike {

namespace {

PayloadType discovery_type(NatVersion version) {
    return version == NatVersion::Rfc3947 ? PayloadType::NatDiscovery
                                          : PayloadType::NatDiscoveryDraft;
}

Bytes hash_of(const Turn& turn, Endpoint endpoint) {
    const Phase1Policy* policy = agreed_policy(turn.session);
    ENSURE(policy != nullptr);
    return nat_discovery_hash(policy->hash, turn.session.cookies, endpoint);
}

} // namespace

void offer_nat(MessageBuilder& message) {
    for (const Vendor vendor : {Vendor::NatRfc3947, Vendor::NatDraft03, Vendor::NatDraft02n})
        message.add(PayloadType::VendorId, vendor_id(vendor));
}

NatVersion agree_nat(const VendorSet& vendors) {
    if (vendors.has(Vendor::NatRfc3947))
        return NatVersion::Rfc3947;
    // Drafts 02 and 03 differ from each other in nothing that travels.
    if (vendors.has(Vendor::NatDraft03) || vendors.has(Vendor::NatDraft02n) ||
        vendors.has(Vendor::NatDraft02))
        return NatVersion::Draft02;
    return NatVersion::None;
}

Vendor nat_vendor(const Session& session) {
    if (session.nat.version == NatVersion::Rfc3947)
        return Vendor::NatRfc3947;
    return session.has(Vendor::NatDraft03) ? Vendor::NatDraft03 : Vendor::NatDraft02n;
}

void add_nat_discovery(Turn& turn, MessageBuilder& message) {
    const Session& session = turn.session;
    if (session.nat.version == NatVersion::None)
        return;
    // RFC 3947 3.2: the other end's address first, then ours. One that is nobody's makes the peer
    // find a NAT in front of us.
    const PayloadType type = discovery_type(session.nat.version);
    message.add(type, hash_of(turn, session.remote));
    message.add(type, hash_of(turn, turn.env.config.udp_always ? Endpoint{} : session.local));
}

void detect_nat(Turn& turn) {
    Session& session = turn.session;
    const PayloadType type = discovery_type(session.nat.version);
    if (session.nat.version == NatVersion::None || turn.message->count(type) < 2)
        return;
    const Bytes local = hash_of(turn, session.local);
    const Bytes remote = hash_of(turn, session.remote);
    bool first = true;
    session.nat.peer_behind = true;
    for (const Payload& payload : turn.message->payloads) {
        if (payload.type != type)
            continue;
        // RFC 3947 3.2: the first names us as the peer sees us, each other one the peer as it sees
        // itself.
        if (first)
            session.nat.local_behind = !equal_constant_time(payload.body, local);
        else if (equal_constant_time(payload.body, remote))
            session.nat.peer_behind = false;
        first = false;
    }
    // What the peer finds, so that both encapsulate, and that we keep a mapping alive.
    session.nat.local_behind = session.nat.local_behind || turn.env.config.udp_always;
    if (!session.nat.detected())
        debug(turn, "No NAT Found for self or peer");
    else if (session.nat.local_behind && session.nat.peer_behind)
        debug(turn, "NAT found, both nodes inside NAT");
    else
        debug(turn,
              "NAT found, %s inside NAT",
              session.nat.local_behind ? "this node" : "the remote node");
}

namespace {

constexpr std::size_t kReservedBytes = 3;

Bytes original_of(Ipv4Address address) {
    Writer writer;
    writer.u8(to_wire(IdType::Ipv4Address));
    writer.zeros(kReservedBytes);
    writer.u32(address.value);
    return std::move(writer).take();
}

Result<Ipv4Address> original_in(ByteView body) {
    Reader reader{body};
    const auto type = from_wire<IdType>(TRY(reader.u8()));
    TRY(reader.take(kReservedBytes));
    if (type != IdType::Ipv4Address)
        return fail(ErrorCode::Unsupported, "NAT-OA holds " + name(type));
    const Ipv4Address address{TRY(reader.u32())};
    if (!reader.empty())
        return fail(ErrorCode::Malformed, "NAT-OA longer than an address");
    return address;
}

} // namespace

void add_nat_originals(const Turn& turn, MessageBuilder& message) {
    const Session& session = turn.session;
    // The drafts (draft-ietf-ipsec-nat-t-ike-02 5.2) know one payload, the sender's own address.
    if (session.nat.version != NatVersion::Rfc3947) {
        message.add(PayloadType::NatOriginalDraft, original_of(session.local.address));
        return;
    }
    const bool initiator = turn.quick->role == Role::Initiator;
    const Ipv4Address i = initiator ? session.local.address : session.remote.address;
    const Ipv4Address r = initiator ? session.remote.address : session.local.address;
    message.add(PayloadType::NatOriginal, original_of(i));
    message.add(PayloadType::NatOriginal, original_of(r));
}

Status read_nat_originals(Turn& turn) {
    QuickMode& quick = *turn.quick;
    std::vector<Ipv4Address> originals;
    for (const Payload& payload : turn.message->payloads)
        if (payload.type == PayloadType::NatOriginal ||
            payload.type == PayloadType::NatOriginalDraft)
            originals.push_back(TRY(original_in(payload.body)));
    if (originals.empty() || !turn.session.nat.detected())
        return {};
    if (originals.size() > 2)
        return fail(ErrorCode::Malformed, "more than two NAT-OA payloads");
    quick.original_remote = originals.front();
    quick.original_local = turn.session.local.address;
    if (originals.size() == 1)
        return {};
    // RFC 3947 5.2: NAT-OAi, then NAT-OAr.
    const bool initiator = quick.role == Role::Initiator;
    quick.original_local = originals[initiator ? 0 : 1];
    quick.original_remote = originals[initiator ? 1 : 0];
    return {};
}

void float_ports(Session& session) {
    if (!session.nat.detected() || session.floated())
        return;
    session.local.port = kNatPort;
    session.remote.port = kNatPort;
}

void follow_initiator(Session& session, Endpoint local, Endpoint remote) {
    const bool moved = local.port != session.local.port;
    if (session.nat.version != NatVersion::None && !session.floated() &&
        moved != session.nat.detected())
        session.nat = {.version = session.nat.version, .peer_behind = moved};
    session.local = local;
    session.remote = remote;
}

void schedule_keepalive(Turn& turn) {
    Session& session = turn.session;
    // RFC 3948 4: whoever is behind the NAT keeps the mapping alive.
    if (session.nat.local_behind && turn.env.config.nat_keepalive > Duration::zero())
        session.keepalive_due = turn.now() + turn.env.config.nat_keepalive;
}

} // namespace adit::ike

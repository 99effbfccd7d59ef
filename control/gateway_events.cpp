// SPDX-License-Identifier: Apache-2.0
// What comes from the dataplane: datagrams and events into the engine, notices into log and
// history.
#include "control/gateway.h"

#include <cstdio>
#include <utility>

namespace adit {

void Gateway::on_datagram(const ipc::DatagramRecord& datagram) {
    if (datagram.length > ipc::kMaxIkeDatagramBytes)
        return; // the channel bounds it already
    history_.received({Ipv4Address{datagram.destination}, datagram.destination_port},
                      Ipv4Address{datagram.source},
                      ByteView{datagram.payload, datagram.length},
                      MonotonicClock::now());
    handle(ike::DatagramReceived{{Ipv4Address{datagram.destination}, datagram.destination_port},
                                 {Ipv4Address{datagram.source}, datagram.source_port},
                                 Bytes(datagram.payload, datagram.payload + datagram.length)});
}

void Gateway::on_event(const ipc::EventRecord& event) {
    switch (static_cast<ipc::EventType>(event.header.type)) {
    case ipc::EventType::Ack:
        break; // DataplaneClient pairs them
    case ipc::EventType::Acquire:
        on_acquire(event.acquire);
        break;
    case ipc::EventType::SoftExpire:
        handle(ike::SaLimitReached{SaId{event.expire.sa_id}, false});
        break;
    case ipc::EventType::HardExpire:
        handle(ike::SaLimitReached{SaId{event.expire.sa_id}, true});
        break;
    case ipc::EventType::PeerMoved:
        handle(ike::PeerMovedTo{SaId{event.peer_moved.sa_id},
                                {Ipv4Address{event.peer_moved.address}, event.peer_moved.port}});
        break;
    case ipc::EventType::PacketNotice:
        on_notice(event.packet_notice);
        break;
    case ipc::EventType::LinkChange:
        on_link_change(event.link_change);
        break;
    }
}

void Gateway::on_acquire(const ipc::Acquire& acquire) {
    const PolicyId policy{acquire.policy};
    const auto name = provision_.connection_of_policy.find(policy);
    if (name == provision_.connection_of_policy.end())
        return;
    const ike::Connection* connection = ike::find_connection(*provision_.engine, name->second);
    if (connection != nullptr && watches(*connection))
        ipsec_debug_("IPSEC(sa_request): packet " + to_string(Ipv4Address{acquire.flow.source}) +
                     " -> " + to_string(Ipv4Address{acquire.flow.destination}) +
                     " asks for an SA of " + connection->name);
    handle(ike::Initiate{name->second, policy, ike::Initiate::Cause::Traffic});
}

/// Texts that log collectors know (facility CRYPTO), one for each reason an operator must hear of.
static std::optional<LogRecord> notice_record(const ipc::PacketNotice& notice) {
    const std::string source = to_string(Ipv4Address{notice.flow.source});
    const std::string destination = to_string(Ipv4Address{notice.flow.destination});
    char spi[32];
    std::snprintf(spi, sizeof spi, "0x%X(%u)", notice.spi, notice.spi);
    const std::string connection = std::to_string(notice.sa_id);
    const auto make = [&](const char* mnemonic, std::string text) {
        return LogRecord{Severity::Warning, "CRYPTO", mnemonic, std::move(text), source};
    };
    switch (static_cast<DropReason>(notice.reason)) {
    case DropReason::EspInvalidSpi:
        return make("RECVD_PKT_INV_SPI",
                    "decaps: rec'd IPSEC packet has invalid spi for destaddr=" + destination +
                        ", prot=50, spi=" + spi + ", srcaddr=" + source);
    case DropReason::PolicyCleartext:
        return make("RECVD_PKT_NOT_IPSEC",
                    "Rec'd packet not an IPSEC packet. (ip) vrf/dest_addr= /" + destination +
                        ", src_addr= " + source +
                        ", prot= " + std::to_string(notice.flow.protocol));
    case DropReason::EspIcv:
        return make("RECVD_PKT_MAC_ERR",
                    "decrypt: mac verify failed for connection id=" + connection +
                        " local=" + destination + " remote=" + source + " spi=" + spi +
                        " seqno=" + std::to_string(notice.sequence_number));
    case DropReason::EspReplay:
        return make("PKT_REPLAY_ERR",
                    "decrypt: replay check failed connection id=" + connection +
                        ", sequence number=" + std::to_string(notice.sequence_number));
    case DropReason::EspSelector:
    case DropReason::EspInner:
        return make("RECVD_PKT_INV_IDENTITY",
                    "identity of decrypted packet does not match: connection id=" + connection +
                        " dest_addr=" + destination + ", src_addr=" + source +
                        ", prot=" + std::to_string(notice.flow.protocol));
    default:
        return std::nullopt;
    }
}

/// The word of the history for a packet that came and was dropped.
static const char* history_code(DropReason reason) {
    switch (reason) {
    case DropReason::EspInvalidSpi:
        return "invalid-spi";
    case DropReason::PolicyCleartext:
        return "clear-text";
    case DropReason::EspIcv:
        return "icv";
    case DropReason::EspReplay:
        return "replay";
    default:
        return "selector";
    }
}

std::optional<Ipv4Address> Gateway::peer_of(const ipc::PacketNotice& notice) const {
    if (const sa::InstalledSa* sa = db_.find(SaId{notice.sa_id}))
        return sa->peer;
    if (static_cast<DropReason>(notice.reason) == DropReason::EspInvalidSpi)
        return Ipv4Address{notice.flow.source};
    const auto name = provision_.connection_of_policy.find(PolicyId{notice.policy});
    if (name == provision_.connection_of_policy.end())
        return std::nullopt;
    const ike::Connection* connection = ike::find_connection(*provision_.engine, name->second);
    if (connection == nullptr || connection->peers.empty())
        return std::nullopt;
    return connection->peers.front();
}

void Gateway::on_notice(const ipc::PacketNotice& notice) {
    std::optional<LogRecord> record = notice_record(notice);
    if (!record)
        return;
    if (const auto peer = peer_of(notice))
        history_.note(*peer,
                      history_code(static_cast<DropReason>(notice.reason)),
                      to_string(Ipv4Address{notice.flow.source}) + " -> " +
                          to_string(Ipv4Address{notice.flow.destination}) + ", protocol " +
                          std::to_string(notice.flow.protocol),
                      MonotonicClock::now());
    if (notice.more > 0)
        record->text += " (and " + std::to_string(notice.more) + " more of this kind)";
    log(std::move(*record));
    if (static_cast<DropReason>(notice.reason) == DropReason::EspInvalidSpi)
        handle(ike::UnknownSpi{Ipv4Address{notice.flow.destination},
                               Ipv4Address{notice.flow.source},
                               Spi{notice.spi}});
}

void Gateway::on_link_change(const ipc::LinkChange& change) {
    if (change.interface >= ports_.size())
        return;
    const PortInfo& port = ports_[change.interface];
    const bool up = change.up != 0;
    const auto [known, first] = links_.try_emplace(change.interface, up);
    if (!first && std::exchange(known->second, up) == up)
        return; // told again because control is a new one
    log({Severity::Error,
         "LINK",
         "UPDOWN",
         "Interface " + port.name + ", changed state to " + (up ? "up" : "down"),
         ""});
}

} // namespace adit

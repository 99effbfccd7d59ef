// SPDX-License-Identifier: Apache-2.0
// A hand-held control for one dataplane: sends the tables and SAs named on the command line, prints
// every acknowledgement, event and counter that moved, and stays attached until it is interrupted.
//
//   dataplane-driver SOCKET interface:0,10.1.0.1/24 interface:1,192.0.2.1/24
//       route:10.2.0.0/16,192.0.2.2 protect:1,10.1.0.0/24,10.2.0.0/24
//       sa:out,192.0.2.1,192.0.2.2,SPI sa:in,192.0.2.1,192.0.2.2,SPI
//
// SAs are AES-128-GCM with a fixed key: for scenes in namespaces, never for traffic that matters.
#include "common/address.h"
#include "common/algorithms.h"
#include "common/ipc/handshake.h"
#include "common/spi.h"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <poll.h>
#include <string>
#include <vector>

namespace {

using namespace adit;

volatile std::sig_atomic_t stopped = 0;

std::vector<std::string> split(const std::string& text, char separator) {
    std::vector<std::string> parts{""};
    for (const char c : text) {
        if (c == separator)
            parts.emplace_back();
        else
            parts.back() += c;
    }
    return parts;
}

[[noreturn]] void usage(const std::string& what) {
    std::fprintf(stderr, "dataplane-driver: %s\n", what.c_str());
    std::exit(2);
}

template <class T> T need(Result<T> result) {
    if (!result)
        usage(result.error().text);
    return std::move(*result);
}

std::uint32_t number(const std::string& text) {
    return static_cast<std::uint32_t>(std::strtoul(text.c_str(), nullptr, 0));
}

ipc::CommandRecord make(ipc::CommandType type) {
    static std::uint32_t sequence = 0;
    ipc::CommandRecord record{};
    record.header.type = static_cast<std::uint16_t>(type);
    record.header.sequence = ++sequence;
    return record;
}

/// "192.0.2.1/24": the address with its host bits.
ipc::CommandRecord interface(const std::vector<std::string>& words) {
    ipc::CommandRecord record = make(ipc::CommandType::SetInterface);
    const auto parts = split(words.at(1), '/');
    record.set_interface.interface = static_cast<std::uint16_t>(number(words.at(0)));
    record.set_interface.address = need(parse_ipv4(parts.at(0))).value;
    record.set_interface.prefix_length = static_cast<std::uint8_t>(number(parts.at(1)));
    record.set_interface.flags = ipc::kInterfaceUp;
    record.set_interface.ip_mtu = words.size() > 2 ? number(words.at(2)) : 1500;
    return record;
}

ipc::CommandRecord route(const std::vector<std::string>& words) {
    ipc::CommandRecord record = make(ipc::CommandType::SetRoute);
    const Ipv4Prefix prefix = need(parse_ipv4_prefix(words.at(0)));
    record.set_route.prefix = prefix.address.value;
    record.set_route.prefix_length = prefix.length;
    record.set_route.interface = kNoInterface.value;
    record.set_route.next_hop = need(parse_ipv4(words.at(1))).value;
    return record;
}

ipc::SelectorRecord selector(const std::string& local, const std::string& remote) {
    const Ipv4Prefix l = need(parse_ipv4_prefix(local));
    const Ipv4Prefix r = need(parse_ipv4_prefix(remote));
    return {l.first().value,
            l.last().value,
            r.first().value,
            r.last().value,
            0,
            0xffff,
            0,
            0xffff,
            0,
            {}};
}

ipc::SelectorRecord last_selector{};

ipc::CommandRecord protect(const std::vector<std::string>& words) {
    ipc::CommandRecord record = make(ipc::CommandType::SetPolicy);
    record.set_policy.policy = 0;
    record.set_policy.interface = static_cast<std::uint16_t>(number(words.at(0)));
    record.set_policy.action = static_cast<std::uint8_t>(ipc::PolicyAction::Protect);
    record.set_policy.selector = last_selector = selector(words.at(1), words.at(2));
    return record;
}

ipc::CommandRecord sa(const std::vector<std::string>& words) {
    ipc::CommandRecord record = make(ipc::CommandType::InstallSa);
    ipc::InstallSa& sa = record.install_sa;
    const bool outbound = words.at(0) == "out";
    sa.direction =
        static_cast<std::uint8_t>(outbound ? ipc::Direction::Outbound : ipc::Direction::Inbound);
    sa.local_address = need(parse_ipv4(words.at(1))).value;
    sa.remote_address = need(parse_ipv4(words.at(2))).value;
    sa.spi = number(words.at(3));
    sa.sa_id = outbound ? 2002 : 2001;
    sa.slot = outbound ? 0 : spi_slot(Spi{sa.spi});
    if (words.size() > 4)
        sa.local_port = sa.remote_port = static_cast<std::uint16_t>(number(words.at(4)));
    sa.cipher = static_cast<std::uint8_t>(EspCipher::AesGcm128);
    sa.key_bytes = 20;
    for (std::uint8_t i = 0; i < sa.key_bytes; ++i)
        sa.key[i] = i;
    sa.replay_window = outbound ? 0 : 64;
    sa.first_sequence = outbound ? 1 : 0;
    sa.selector = last_selector;
    return record;
}

void print(const char* ring, const ipc::EventRecord& event) {
    const auto& p = event.packet_notice;
    switch (static_cast<ipc::EventType>(event.header.type)) {
    case ipc::EventType::Ack:
        std::printf("%s ack sequence=%u result=%u detail=%u\n",
                    ring,
                    event.ack.sequence,
                    event.ack.result,
                    event.ack.detail);
        break;
    case ipc::EventType::Acquire:
        std::printf("%s acquire policy=%u\n", ring, event.acquire.policy);
        break;
    case ipc::EventType::PacketNotice:
        std::printf("%s notice %s spi=%08x\n",
                    ring,
                    p.reason < kDropReasonCount ? kDropReasonNames[p.reason] : "?",
                    p.spi);
        break;
    case ipc::EventType::LinkChange:
        std::printf("%s link interface=%u up=%u mtu=%u\n",
                    ring,
                    event.link_change.interface,
                    event.link_change.up,
                    event.link_change.port_mtu);
        break;
    default:
        std::printf("%s event type=%u\n", ring, event.header.type);
    }
}

void print_drops(const char* core, const ipc::CoreStats& stats) {
    for (std::size_t i = 0; i < kDropReasonCount; ++i)
        if (const std::uint64_t count = ipc::read(stats.drops[i]); count != 0)
            std::printf("%s drop %s %llu\n",
                        core,
                        kDropReasonNames[i],
                        static_cast<unsigned long long>(count));
}

} // namespace

int main(int argc, char** argv) {
    if (argc < 2)
        usage("SOCKET [interface:...] [route:...] [protect:...] [sa:...]");
    std::signal(SIGTERM, [](int) { stopped = 1; });
    std::signal(SIGINT, [](int) { stopped = 1; });
    ipc::DataplaneLink link = need(ipc::connect_to_dataplane(argv[1]));
    ipc::ControlChannel& channel = *link.channel;

    std::vector<ipc::CommandRecord> tables{make(ipc::CommandType::BeginTables)};
    std::vector<ipc::CommandRecord> sas;
    for (int i = 2; i < argc; ++i) {
        const std::string argument = argv[i];
        const std::string kind = argument.substr(0, argument.find(':'));
        const auto words = split(argument.substr(kind.size() + 1), ',');
        if (kind == "interface")
            tables.push_back(interface(words));
        else if (kind == "route")
            tables.push_back(route(words));
        else if (kind == "protect")
            tables.push_back(protect(words));
        else if (kind == "sa")
            sas.push_back(sa(words));
        else
            usage("'" + kind + "' is not known");
    }
    tables.push_back(make(ipc::CommandType::PublishTables));
    const std::uint32_t published = tables.back().header.sequence;
    for (const auto& record : tables)
        if (!channel.housekeeper_commands().try_push(record))
            usage("command ring full");

    ipc::EventRecord event;
    while (stopped == 0 && !ipc::connection_closed(link.connection.get())) {
        while (channel.housekeeper_events().try_pop(event) == ipc::PopResult::Got) {
            print("housekeeper", event);
            const bool is_ack =
                event.header.type == static_cast<std::uint16_t>(ipc::EventType::Ack);
            // SAs refer to policies, so they follow once those are in force.
            if (is_ack && event.ack.sequence == published)
                for (const auto& record : sas)
                    if (!channel.commands(0).try_push(record))
                        usage("command ring full");
        }
        while (channel.events(0).try_pop(event) == ipc::PopResult::Got)
            print("worker", event);
        std::fflush(stdout);
        if (channel.prepare_to_sleep()) {
            pollfd sources[] = {{channel.doorbell_fd(), POLLIN, 0},
                                {link.connection.get(), POLLIN, 0}};
            poll(sources, 2, 1000);
            channel.awake();
        }
    }
    print_drops("housekeeper", channel.housekeeper_stats());
    print_drops("worker", channel.core_stats(0));
    return 0;
}

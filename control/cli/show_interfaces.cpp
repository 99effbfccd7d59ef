// SPDX-License-Identifier: Apache-2.0
#include "control/cli/show_interfaces.h"

#include "control/cli/show_text.h"
#include "control/config/tunnel.h"

namespace adit::cli {
namespace {

using Number = unsigned long long; // what %llu takes

const config::Interface* configured(const Snapshot& snapshot, const std::string& name) {
    const auto found = snapshot.config->interfaces.find(name);
    return found == snapshot.config->interfaces.end() ? nullptr : &found->second;
}

const char* link_words(const InterfaceStatus& port) {
    if (!port.admin_up)
        return "administratively down";
    if (port.tunnel)
        return port.link_up ? "up" : "down";
    return port.loopback || (port.has_port && port.link_up) ? "up" : "down";
}

const char* protocol_words(const InterfaceStatus& port) {
    return port.protocol_up() ? "up" : "down";
}

/// "1Gbps", "100Mbps"; a port that does not know its speed says nothing of it.
std::string speed_words(std::uint32_t mbps) {
    return mbps % 1000 == 0 ? text("%uGbps", mbps / 1000) : text("%uMbps", mbps);
}

bool knows_speed(const InterfaceStatus& port) {
    return port.speed_mbps != 0 && port.speed_mbps != UINT32_MAX;
}

void append_identity(std::string& out,
                     const InterfaceStatus& port,
                     const config::Interface* settings) {
    append(out,
           "%s is %s, line protocol is %s \n",
           port.name.c_str(),
           link_words(port),
           protocol_words(port));
    const std::string mac = mac_dotted(port.mac);
    if (port.tunnel)
        out += "  Hardware is Tunnel\n";
    else
        append(out, "  Hardware is DPDK port, address is %s (bia %s)\n", mac.c_str(), mac.c_str());
    if (settings != nullptr && !settings->description.empty())
        append(out, "  Description: %s\n", settings->description.c_str());
    if (settings != nullptr && settings->address)
        append(out,
               "  Internet address is %s/%u\n",
               to_string(*settings->address).c_str(),
               settings->prefix_length);
}

void append_lent_address(std::string& out,
                         const Snapshot& snapshot,
                         const config::Interface* settings) {
    if (settings == nullptr || settings->unnumbered.empty())
        return;
    const auto lent = config::address_of(*snapshot.config, *settings);
    append(out,
           "  Interface is unnumbered. Using address of %s (%s)\n",
           settings->unnumbered.c_str(),
           lent ? to_string(*lent).c_str() : "unassigned");
}

void append_tunnel(std::string& out, const InterfaceStatus& port, const TunnelStatus& tunnel) {
    append(out,
           "  MTU %u bytes, BW 100 Kbit/sec, DLY 50000 usec, \n"
           "     reliability 255/255, txload 1/255, rxload 1/255\n"
           "  Encapsulation TUNNEL, loopback not set\n"
           "  Keepalive not set\n",
           port.mtu);
    if (port.protocol_up())
        out += "  Tunnel linestate evaluation up\n";
    else
        append(out, "  Tunnel linestate evaluation down - %s\n", tunnel.fault.c_str());
    const std::string source = tunnel.local ? to_string(*tunnel.local) : "UNKNOWN";
    append(out,
           "  Tunnel source %s%s%s%s, destination %s\n"
           "  Tunnel protocol/transport IPSEC/IP\n"
           "  Tunnel transport MTU %u bytes\n",
           source.c_str(),
           tunnel.carrier.empty() ? "" : " (",
           tunnel.carrier.c_str(),
           tunnel.carrier.empty() ? "" : ")",
           tunnel.remote ? to_string(*tunnel.remote).c_str() : "UNKNOWN",
           tunnel.transport_mtu);
    if (!tunnel.profile.empty())
        append(out, "  Tunnel protection via IPSec (profile \"%s\")\n", tunnel.profile.c_str());
    out += "  Queueing strategy: fifo\n";
}

void append_link(std::string& out, const InterfaceStatus& port) {
    const Number kilobits = knows_speed(port) ? port.speed_mbps * Number{1000} : 1'000'000;
    append(out, "  MTU %u bytes, BW %llu Kbit/sec, DLY 10 usec, \n", port.mtu, kilobits);
    out += "     reliability 255/255, txload 1/255, rxload 1/255\n"
           "  Encapsulation ARPA, loopback not set\n";
    if (knows_speed(port))
        append(out, "  Full Duplex, %s\n", speed_words(port.speed_mbps).c_str());
    out += "  ARP type: ARPA, ARP Timeout 04:00:00\n"
           "  Queueing strategy: fifo\n";
}

void append_counters(std::string& out, const InterfaceStatus& port) {
    append(out,
           "     %llu packets input, %llu bytes, %llu no buffer\n"
           "     Received %llu broadcasts\n"
           "     0 runts, 0 giants, 0 throttles\n"
           "     %llu input errors, 0 CRC, 0 frame, %llu overrun, 0 ignored\n",
           Number{port.in_packets},
           Number{port.in_bytes},
           Number{port.in_no_buffer},
           Number{port.in_broadcasts},
           Number{port.in_errors},
           Number{port.in_missed});
    append(out,
           "     %llu packets output, %llu bytes, 0 underruns\n"
           "     %llu output errors, 0 collisions, 0 interface resets\n",
           Number{port.out_packets},
           Number{port.out_bytes},
           Number{port.out_errors});
}

} // namespace

std::string show_interfaces(const Snapshot& snapshot, const std::string& name) {
    std::string out;
    for (const InterfaceStatus& port : snapshot.interfaces) {
        if (!name.empty() && name != port.name)
            continue;
        append_identity(out, port, configured(snapshot, port.name));
        if (port.tunnel) {
            append_lent_address(out, snapshot, configured(snapshot, port.name));
            append_tunnel(out, port, *port.tunnel);
        } else {
            append_link(out, port);
        }
        append_counters(out, port);
    }
    return out;
}

std::string show_ip_interface(const Snapshot& snapshot, const std::string& name) {
    std::string out;
    for (const InterfaceStatus& port : snapshot.interfaces) {
        if (!name.empty() && name != port.name)
            continue;
        const config::Interface* settings = configured(snapshot, port.name);
        append(out,
               "%s is %s, line protocol is %s\n",
               port.name.c_str(),
               link_words(port),
               protocol_words(port));
        append_lent_address(out, snapshot, settings);
        if (settings == nullptr || !config::address_of(*snapshot.config, *settings)) {
            out += "  Internet protocol processing disabled\n";
            continue;
        }
        if (settings->address)
            append(out,
                   "  Internet address is %s/%u\n"
                   "  Broadcast address is 255.255.255.255\n",
                   to_string(*settings->address).c_str(),
                   settings->prefix_length);
        append(out,
               "  MTU is %u bytes\n"
               "  Outgoing access list is not set\n"
               "  Inbound  access list is not set\n",
               port.ip_mtu);
    }
    return out;
}

std::string show_ip_interface_brief(const Snapshot& snapshot) {
    std::string out;
    const auto row = [&out](const char* name,
                            const std::string& address,
                            const char* ok,
                            const char* method,
                            const char* status,
                            const char* protocol) {
        append(out,
               "%-26s %-15s %-3s %-6s %-21s %s\n",
               name,
               address.c_str(),
               ok,
               method,
               status,
               protocol);
    };
    row("Interface", "IP-Address", "OK?", "Method", "Status", "Protocol");
    for (const InterfaceStatus& port : snapshot.interfaces) {
        const config::Interface* settings = configured(snapshot, port.name);
        const auto address =
            settings != nullptr ? config::address_of(*snapshot.config, *settings) : std::nullopt;
        const bool lent = settings != nullptr && !settings->unnumbered.empty();
        row(port.name.c_str(),
            address ? to_string(*address) : "unassigned",
            "YES",
            address && !lent ? "manual" : "unset",
            link_words(port),
            protocol_words(port));
    }
    return out;
}

} // namespace adit::cli

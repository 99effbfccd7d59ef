// SPDX-License-Identifier: Apache-2.0
#include "control/cli/show_platform.h"

#include "control/cli/show_text.h"

namespace adit::cli {
namespace {

using Number = unsigned long long; // what %llu takes

std::string dataplane_words(const Snapshot& snapshot) {
    if (snapshot.dataplane_attached)
        return text("Dataplane is attached, process %u, %zu cores\n",
                    snapshot.dataplane_pid,
                    snapshot.cores.size());
    return "Dataplane is not attached" +
           (snapshot.dataplane_note.empty() ? "" : ": " + snapshot.dataplane_note) + "\n";
}

} // namespace

std::string show_version(const Snapshot& snapshot) {
    const std::string& host = snapshot.config->hostname;
    const std::uint64_t uptime = seconds_between(snapshot.started, snapshot.now);
    const std::tm restarted = utc(snapshot.wall - std::chrono::seconds{uptime});
    std::string out = text("Adit Software (adit), Version %s, userspace IPsec VPN appliance\n"
                           "\n"
                           "%s uptime is %s\n"
                           "System restarted at %02d:%02d:%02d UTC %s\n"
                           "\n",
                           snapshot.version.c_str(),
                           host.c_str(),
                           long_age(uptime).c_str(),
                           restarted.tm_hour,
                           restarted.tm_min,
                           restarted.tm_sec,
                           date_words(restarted).c_str());
    out += dataplane_words(snapshot);
    append(out,
           "%zu Ethernet interface%s\n"
           "\n"
           "Configuration register is 0x2102\n",
           snapshot.interfaces.size(),
           snapshot.interfaces.size() == 1 ? "" : "s");
    return out;
}

std::string show_clock(const Snapshot& snapshot) {
    const std::tm now = utc(snapshot.wall);
    const auto since_epoch =
        std::chrono::duration_cast<std::chrono::milliseconds>(snapshot.wall.time_since_epoch());
    return text("*%02d:%02d:%02d.%03d UTC %s\n",
                now.tm_hour,
                now.tm_min,
                now.tm_sec,
                static_cast<int>(since_epoch.count() % 1000),
                date_words(now).c_str());
}

std::string show_dataplane_drops(const Snapshot& snapshot, DropsShown shown) {
    std::string out = snapshot.dataplane_attached ? "" : dataplane_words(snapshot);
    append(out, "%-20s %14s  %s\n", "Reason", "Packets", "Meaning");
    for (std::size_t reason = 0; reason < kDropReasonCount; ++reason) {
        Number packets = 0;
        for (const CoreStatus& core : snapshot.cores)
            packets += core.drops[reason];
        if (packets > 0 || shown == DropsShown::All)
            append(out,
                   "%-20s %14llu  %s\n",
                   kDropReasonNames[reason],
                   packets,
                   kDropReasonHelp[reason]);
    }
    return out;
}

} // namespace adit::cli

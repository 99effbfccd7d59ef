// SPDX-License-Identifier: Apache-2.0
#include "control/cli/show_machine.h"

#include "control/cli/show_text.h"

namespace adit::cli {
namespace {

using Number = unsigned long long; // what %llu takes

void append_part(std::string& out,
                 const std::string& name,
                 const char* description,
                 const char* product,
                 const std::string& serial) {
    append(out,
           "NAME: \"%s\", DESCR: \"%s\"\n"
           "PID: %-18s, VID: %-4s, SN: %s\n\n",
           name.c_str(),
           description,
           product,
           "V01",
           serial.c_str());
}

} // namespace

std::string show_inventory(const Snapshot& snapshot) {
    std::string out;
    append_part(out, "Chassis", "Adit userspace IPsec VPN appliance", "ADIT", "");
    for (const InterfaceStatus& port : snapshot.interfaces)
        if (port.has_port && !port.tunnel)
            append_part(
                out, port.name, "Ethernet port of the dataplane", "DPDK", mac_dotted(port.mac));
    return out;
}

std::string show_directory(const Machine& machine) {
    std::string out = "Directory of flash:/\n\n";
    unsigned number = 0;
    for (const StoredFile& file : machine.files)
        append(out,
               "%5u  -rw-  %11llu  %s  %s\n",
               ++number,
               Number{file.bytes},
               file_date(file.changed).c_str(),
               file.name.c_str());
    if (machine.files.empty())
        out += "No files in directory\n";
    append(out,
           "\n%llu bytes total (%llu bytes free)\n",
           Number{machine.disk_bytes},
           Number{machine.disk_free_bytes});
    return out;
}

std::string show_memory(const Machine& machine) {
    std::string out;
    append(
        out, "%-10s %16s %16s %16s %16s\n", "", "Total(b)", "Used(b)", "Free(b)", "Available(b)");
    append(out,
           "%-10s %16llu %16llu %16llu %16llu\n",
           "Processor",
           Number{machine.memory_bytes},
           Number{machine.memory_bytes - machine.memory_free_bytes},
           Number{machine.memory_free_bytes},
           Number{machine.memory_available_bytes});
    append(out, "\nadit-control holds %llu bytes of it\n", Number{machine.control_bytes});
    return out;
}

std::string show_users(const std::vector<OperatorLine>& lines, unsigned own) {
    std::string out;
    append(out, "    %-10s %-10s %-19s %-8s %s\n", "Line", "User", "Host(s)", "Idle", "Location");
    for (const OperatorLine& line : lines)
        append(out,
               "%c%3u vty %-4u %-10s %-19s %s\n",
               line.vty == own ? '*' : ' ',
               line.vty,
               line.vty,
               line.user.c_str(),
               "idle",
               hms(line.idle_seconds).c_str());
    return out;
}

} // namespace adit::cli

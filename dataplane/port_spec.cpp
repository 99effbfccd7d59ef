// SPDX-License-Identifier: Apache-2.0
#include "dataplane/port_spec.h"

#include "common/ipc/stats.h"

#include <cctype>

namespace adit::dataplane {

Result<PortSpec> PortSpec::parse(const std::string& text) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == text.size())
        return fail(ErrorCode::Invalid,
                    "--port '" + text +
                        "' is not NAME=DEVICE; for example "
                        "--port GigabitEthernet0/0=net_af_packet0,iface=wan");
    PortSpec spec{text.substr(0, equals), text.substr(equals + 1)};
    if (spec.name.size() >= ipc::kPortNameBytes)
        return fail(ErrorCode::Invalid,
                    "--port name '" + spec.name + "' is longer than " +
                        std::to_string(ipc::kPortNameBytes - 1) + " characters");
    return spec;
}

bool PortSpec::is_pci() const {
    const std::string address = device();
    return address.find(':') != std::string::npos &&
           std::isxdigit(static_cast<unsigned char>(address.front())) != 0;
}

std::string PortSpec::device() const {
    return devargs.substr(0, devargs.find(','));
}

std::string PortSpec::kernel_interface() const {
    const std::string key = ",iface=";
    const std::size_t at = devargs.find(key);
    if (at == std::string::npos)
        return {};
    const std::size_t from = at + key.size();
    return devargs.substr(from, devargs.find(',', from) - from);
}

std::string PortSpec::devargs_for(std::uint16_t workers) const {
    const bool af_packet = device().find("_af_packet") != std::string::npos;
    if (!af_packet || workers < 2 || devargs.find(",qpairs=") != std::string::npos)
        return devargs;
    return devargs + ",qpairs=" + std::to_string(workers);
}

} // namespace adit::dataplane

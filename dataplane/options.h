// SPDX-License-Identifier: Apache-2.0
// The command line of adit-dataplane.
#pragma once

#include "common/error.h"
#include "dataplane/crypto_mb.h"
#include "dataplane/eal.h"
#include "dataplane/port_spec.h"

#include <cstdint>
#include <string>
#include <vector>

namespace adit::dataplane {

enum class OptionsAction : std::uint8_t {
    Run,
    ShowHelp,
    ShowVersion,
};

struct Options {
    OptionsAction action{OptionsAction::Run};
    std::vector<PortSpec> ports;
    EalConfig eal;
    std::string socket;
    std::string control_user; // empty: only root and our own user
    CryptoArch crypto{CryptoArch::Auto};
    std::uint32_t max_sas{};
    std::uint32_t max_policies{};
};

/// Invalid, naming the option at fault and the remedy.
Result<Options> parse_options(int argc, const char* const* argv);

std::string help_text();

} // namespace adit::dataplane

// SPDX-License-Identifier: Apache-2.0
// A Config as text: what `show running-config` prints and `write memory` saves. Reading the text
// back gives the same Config (kept by a property test); defaults are left out, order is stable.
//
// Threading: pure functions.
#pragma once

#include "control/config/model.h"

#include <string>

namespace adit::config {

enum class Secrets : std::uint8_t {
    Hidden, // keys as "<hidden>": for eyes, logs and backups
    Clear,  // for the startup file only
};

/// From "version" to "end", without the heading.
std::string render(const Config& config, Secrets secrets);

/// The same under "Building configuration..." and "Current configuration : N bytes".
std::string render_running_config(const Config& config, Secrets secrets);

/// One block: "interface GigabitEthernet0/0" and its lines; empty when there is none.
std::string render_interface(const Config& config, const std::string& name);

/// An address of an ACL line, and its ports with a blank in front: "host 10.1.1.1", " eq www".
std::string term_text(const AclAddress& term);
std::string ports_text(std::uint8_t protocol, const PortRange& ports);

/// "permit ip 10.1.0.0 0.0.255.255 any", as it stands behind the sequence number.
std::string acl_line_text(const AclLine& line);

/// "esp-aes 256 esp-sha256-hmac", as typed.
std::string transform_text(const TransformSet& set);

} // namespace adit::config

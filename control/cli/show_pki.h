// SPDX-License-Identifier: Apache-2.0
// show crypto pki ...: certificates and trustpoints, in the forms existing readers parse.
//
// Threading: pure functions.
#pragma once

#include "control/cli/snapshot.h"

#include <string>

namespace adit::cli {

enum class CertificateForm : std::uint8_t { Plain, Verbose };

/// `trustpoint` empty: all.
std::string show_pki_certificates(const Snapshot& snapshot,
                                  const std::string& trustpoint,
                                  CertificateForm form);
std::string show_pki_trustpoints(const Snapshot& snapshot);
std::string show_pki_crls(const Snapshot& snapshot);

} // namespace adit::cli

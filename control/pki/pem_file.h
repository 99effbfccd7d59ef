// SPDX-License-Identifier: Apache-2.0
// Certificates, keys and CRLs from the files an operator names. PEM; CRLs, which CAs publish that
// way, also as DER. Every size is bounded: a file named by mistake costs no more than a message.
//
// Threading: blocking file reads, on control's own thread. Errors: the text names the file and what
// is wrong with it.
#pragma once

#include "control/pki/openssl.h"

#include <cstddef>
#include <string>
#include <vector>

namespace adit::pki {

/// A CRL of 10,000 entries has some 400 kB.
inline constexpr std::size_t kMaxFileBytes = std::size_t{4} * 1024 * 1024;
/// Of one file: a chain, or all CAs somebody trusts.
inline constexpr std::size_t kMaxCertificatesInFile = 32;
inline constexpr std::size_t kMaxCrlsInFile = 32;

/// At least one.
Result<std::vector<Certificate>> read_certificates(const std::string& path);
/// Not sealed with a pass phrase: nobody is there to type it.
Result<Key> read_private_key(const std::string& path);
/// At least one.
Result<std::vector<Crl>> read_crls(const std::string& path);

} // namespace adit::pki

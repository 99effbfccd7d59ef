// SPDX-License-Identifier: Apache-2.0
// Certificates and CRLs in words.
//
// Threading: pure functions.
#pragma once

#include "common/address.h"
#include "control/pki/openssl.h"
#include "control/pki/trustpoint.h"

namespace adit::pki {

CertificateInfo describe(X509* certificate);
CrlInfo describe(X509_CRL* crl);
/// Of its subjectAltName.
std::vector<Ipv4Address> addresses_in(const X509* certificate);

} // namespace adit::pki

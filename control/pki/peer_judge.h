// SPDX-License-Identifier: Apache-2.0
// Judges what a peer brings: its certificate leads to a CA we trust, holds the name it calls itself
// by, and its key has signed this exchange.
//
// Threading: immutable; judge() from any thread, `clock` too. Errors: a named fault.
// Source: RFC 2409 5.1; RFC 4945 3.1, 5.1.
#pragma once

#include "common/clock.h"
#include "control/ike/credentials.h"
#include "control/pki/openssl.h"

#include <functional>
#include <memory>
#include <vector>

namespace adit::pki {

class Authorities;

using Clock = std::function<WallTime()>;

std::shared_ptr<const ike::PeerJudge>
make_judge(std::vector<std::shared_ptr<const Authorities>> authorities, Clock clock);

/// RFC 4945 3.1: an address, name or mail address stands in subjectAltName; a DN is the subject,
/// compared as OpenSSL canonicalises it. Routers put their host name into the subject
/// (unstructuredName), which counts too: the CA has signed it all the same.
bool holds_name(X509* certificate, const ike::Identity& identity);

} // namespace adit::pki

// SPDX-License-Identifier: Apache-2.0
// X.500 names as text, wherever one is shown: subjects and issuers of certificates, and identities
// of type ID_DER_ASN1_DN.
//
// Threading: pure. Errors: Malformed for octets that are no name.
// Source: RFC 5280 4.1.2.4 (Name), X.690 (DER), RFC 4514 (text), RFC 2407 4.6.2.10.
#pragma once

#include "common/bytes.h"

#include <string>
#include <vector>

namespace adit::ike {

/// "cn=gw-b", "ou=Sales\, West" ...: the last first, as RFC 4514 2.1 orders them, one for each
/// attribute. Short names are lower-case, as routers print them. Values are UTF-8; what a terminal
/// might obey is replaced, what separates is escaped, and the end of long ones is left out.
Result<std::vector<std::string>> name_attributes(ByteView der);

/// The same in one line, between commas; "(no name)" for an empty one.
Result<std::string> name_text(ByteView der);

} // namespace adit::ike

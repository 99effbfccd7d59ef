// SPDX-License-Identifier: Apache-2.0
// Every parser that an ISAKMP datagram reaches before anybody is authenticated. What is parsed is
// written again: nothing may be lost or invented on the way.
#include "control/ike/message.h"
#include "control/ike/payload_id.h"
#include "control/ike/payload_notify.h"
#include "control/ike/proposal.h"

namespace {

using namespace adit;
using namespace adit::ike;

void parse_body(const Payload& payload) {
    if (const auto sa = parse_sa(payload.body)) {
        (void)describe_phase1(*sa);
        (void)describe_phase2(*sa);
    }
    if (const auto identity = parse_identity(payload.body)) {
        (void)to_string(*identity);
        if (const auto client = client_range(*identity))
            ENSURE(client_range(client_identity(*client)).has_value());
        ENSURE(build_identity(*identity) == to_bytes(payload.body));
    }
    if (const auto notification = parse_notification(payload.body))
        ENSURE(parse_notification(build_notification(*notification)).has_value());
    (void)parse_delete(payload.body);
    (void)parse_attributes(payload.body);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView datagram{data, size};
    const auto message = parse_clear(datagram);
    if (!message)
        return 0;
    MessageBuilder again;
    for (const Payload& payload : message->payloads) {
        parse_body(payload);
        again.add(payload.type, to_bytes(payload.body));
    }
    ENSURE(again.clear(message->header) == to_bytes(datagram));
    return 0;
}

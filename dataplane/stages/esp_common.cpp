// SPDX-License-Identifier: Apache-2.0
#include "dataplane/stages/esp_common.h"

namespace adit::dataplane {

void report_expiry(EventQueue& events,
                   ipc::EventType type,
                   std::uint32_t sa_id,
                   ipc::ExpireKind kind) {
    ipc::EventRecord event{};
    event.expire = {.header = {.type = static_cast<std::uint16_t>(type)},
                    .sa_id = sa_id,
                    .kind = static_cast<std::uint8_t>(kind)};
    events.push(event);
}

Charge pass_threshold(std::uint32_t sa_id,
                      std::uint64_t& bytes_left,
                      ByteLimits& limits,
                      std::uint32_t bytes,
                      EventQueue& events) {
    if (!limits.soft_reported) {
        limits.soft_reported = true;
        report_expiry(events, ipc::EventType::SoftExpire, sa_id, ipc::ExpireKind::Bytes);
        const std::uint64_t more =
            limits.until_hard == kNoByteLimit ? kNoByteLimit - bytes_left : limits.until_hard;
        bytes_left += more;
        limits.granted += more;
        if (bytes_left >= bytes) {
            bytes_left -= bytes;
            return Charge::Within;
        }
    }
    if (!limits.expired) {
        limits.expired = true;
        report_expiry(events, ipc::EventType::HardExpire, sa_id, ipc::ExpireKind::Bytes);
    }
    limits.granted -= bytes_left;
    bytes_left = 0; // nothing shorter slips through either
    return Charge::Expired;
}

} // namespace adit::dataplane

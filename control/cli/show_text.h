// SPDX-License-Identifier: Apache-2.0
// The small words that several `show` commands share: printf to a string, durations, names. Formats
// are those that existing IOS readers parse; widths are printf widths.
//
// Threading: pure functions.
#pragma once

#include "common/address.h"
#include "common/algorithms.h"
#include "common/clock.h"
#include "control/cli/snapshot.h"

#include <array>
#include <cstdint>
#include <ctime>
#include <string>

namespace adit::cli {

/// printf into a string.
[[gnu::format(printf, 1, 2)]] std::string text(const char* format, ...);
/// printf behind what is there.
[[gnu::format(printf, 2, 3)]] void append(std::string& to, const char* format, ...);

/// Whole seconds from `from` to `until`, 0 when that lies behind.
std::uint64_t seconds_between(Instant from, Instant until);

/// "23:41:09"; hours may pass 99.
std::string hms(std::uint64_t seconds);
/// "00:18:51", "5d23h", "7w0d", "1y12w": two units, as routers show ages.
std::string age(std::uint64_t seconds);
/// "1 day, 2 hours, 5 minutes" for the uptime line.
std::string long_age(std::uint64_t seconds);

/// Of that instant, in UTC.
std::tm utc(WallTime when);
/// "Mon Nov 23 2026", in English whatever the locale.
std::string date_words(const std::tm& day);
/// "Nov 23 2026 09:00:04 +00:00", as directories show it.
std::string file_date(WallTime when);

/// "0012.3456.789a".
std::string mac_dotted(const std::array<std::uint8_t, 6>& mac);

/// "esp-256-aes esp-sha256-hmac ": members of a transform, each followed by a blank.
std::string transform_words(EspCipher cipher, EspMac mac);

/// What is left of the volume lifetime; octets count upwards from 0 with every rekey.
std::uint64_t kilobytes_left(const ike::ChildSaView& sa, const SaCounters& counters);

/// "4608000 kilobytes/3600 seconds"; what the first does not say the second does, then the
/// defaults.
std::string lifetime_words(const config::SaLifetime& first, const config::SaLifetime& second);

/// "10.1.0.0/16", or "10.1.0.1-10.1.0.9" of what is no network.
std::string flow_words(const Ipv4Range& range);

/// "Gi0/0" for "GigabitEthernet0/0".
std::string short_interface(const std::string& name);

} // namespace adit::cli

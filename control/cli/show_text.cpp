// SPDX-License-Identifier: Apache-2.0
#include "control/cli/show_text.h"

#include <bit>
#include <cstdarg>
#include <cstdio>

namespace adit::cli {
namespace {

constexpr std::uint64_t kMinute = 60;
constexpr std::uint64_t kHour = 60 * kMinute;
constexpr std::uint64_t kDay = 24 * kHour;
constexpr std::uint64_t kWeek = 7 * kDay;
constexpr std::uint64_t kYear = 365 * kDay;

constexpr std::array kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array kMonths = {
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

using Number = unsigned long long; // what %llu takes

void append_list(std::string& to, const char* format, std::va_list arguments) {
    std::va_list again;
    va_copy(again, arguments);
    const int length = std::vsnprintf(nullptr, 0, format, arguments);
    ENSURE(length >= 0);
    const std::size_t before = to.size();
    to.resize(before + static_cast<std::size_t>(length) + 1);
    std::vsnprintf(to.data() + before, static_cast<std::size_t>(length) + 1, format, again);
    va_end(again);
    to.pop_back();
}

void append_unit(std::string& to, std::uint64_t count, const char* unit) {
    if (count > 0)
        append(
            to, "%s%llu %s%s", to.empty() ? "" : ", ", Number{count}, unit, count == 1 ? "" : "s");
}

} // namespace

std::string text(const char* format, ...) {
    std::string made;
    std::va_list arguments;
    va_start(arguments, format);
    append_list(made, format, arguments);
    va_end(arguments);
    return made;
}

void append(std::string& to, const char* format, ...) {
    std::va_list arguments;
    va_start(arguments, format);
    append_list(to, format, arguments);
    va_end(arguments);
}

std::uint64_t seconds_between(Instant from, Instant until) {
    if (until <= from)
        return 0;
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::seconds>(until - from).count());
}

std::string hms(std::uint64_t seconds) {
    return text("%02llu:%02llu:%02llu",
                Number{seconds / kHour},
                Number{seconds % kHour / kMinute},
                Number{seconds % kMinute});
}

std::string age(std::uint64_t seconds) {
    if (seconds < kDay)
        return hms(seconds);
    if (seconds < kWeek)
        return text("%llud%02lluh", Number{seconds / kDay}, Number{seconds % kDay / kHour});
    if (seconds < kYear)
        return text("%lluw%llud", Number{seconds / kWeek}, Number{seconds % kWeek / kDay});
    return text("%lluy%lluw", Number{seconds / kYear}, Number{seconds % kYear / kWeek});
}

std::string long_age(std::uint64_t seconds) {
    std::string made;
    append_unit(made, seconds / kYear, "year");
    append_unit(made, seconds % kYear / kWeek, "week");
    append_unit(made, seconds % kYear % kWeek / kDay, "day");
    append_unit(made, seconds % kDay / kHour, "hour");
    append_unit(made, seconds % kHour / kMinute, "minute");
    return made.empty() ? "0 minutes" : made;
}

std::tm utc(WallTime when) {
    const std::time_t seconds = std::chrono::system_clock::to_time_t(when);
    std::tm fields{};
    gmtime_r(&seconds, &fields);
    return fields;
}

std::string date_words(const std::tm& day) {
    return text("%s %s %d %d",
                kDays[static_cast<std::size_t>(day.tm_wday)],
                kMonths[static_cast<std::size_t>(day.tm_mon)],
                day.tm_mday,
                day.tm_year + 1900);
}

std::string file_date(WallTime when) {
    const std::tm at = utc(when);
    return text("%s %2d %d %02d:%02d:%02d +00:00",
                kMonths[static_cast<std::size_t>(at.tm_mon)],
                at.tm_mday,
                at.tm_year + 1900,
                at.tm_hour,
                at.tm_min,
                at.tm_sec);
}

std::string mac_dotted(const std::array<std::uint8_t, 6>& mac) {
    return text("%02x%02x.%02x%02x.%02x%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
}

std::string transform_words(EspCipher cipher, EspMac mac) {
    std::string words = info(cipher).show_name;
    words += ' ';
    if (mac != EspMac::None) {
        words += info(mac).config_name;
        words += ' ';
    }
    return words;
}

std::uint64_t kilobytes_left(const ike::ChildSaView& sa, const SaCounters& counters) {
    const std::uint64_t used = counters.bytes / 1024;
    return used < sa.lifetime_kilobytes ? sa.lifetime_kilobytes - used : 0;
}

std::string lifetime_words(const config::SaLifetime& first, const config::SaLifetime& second) {
    const auto either = [](const auto& a, const auto& b, std::uint32_t otherwise) {
        return a ? *a : b.value_or(otherwise);
    };
    const std::uint32_t seconds = either(first.seconds, second.seconds, config::kDefaultSaSeconds);
    const std::uint32_t kilobytes =
        either(first.kilobytes, second.kilobytes, config::kDefaultSaKilobytes);
    const std::string volume =
        kilobytes == 0 ? "disabled kilobytes" : text("%u kilobytes", kilobytes);
    return volume + text("/%u seconds", seconds);
}

std::string flow_words(const Ipv4Range& range) {
    const std::uint32_t span = range.last.value - range.first.value; // one less than its size
    const bool is_network = (span & (span + 1)) == 0 && (range.first.value & span) == 0;
    if (is_network)
        return to_string(
            Ipv4Prefix{range.first, static_cast<std::uint8_t>(32 - std::popcount(span))});
    return to_string(range.first) + '-' + to_string(range.last);
}

std::string short_interface(const std::string& name) {
    const std::size_t digits = name.find_first_of("0123456789");
    if (digits == std::string::npos || digits <= 2)
        return name;
    return name.substr(0, 2) + name.substr(digits);
}

} // namespace adit::cli

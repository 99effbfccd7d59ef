// SPDX-License-Identifier: Apache-2.0
#include "control/config/interface_name.h"

#include "control/config/model.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace adit::config {

namespace {

constexpr std::array kTypes = {
    "Dialer",
    "Ethernet",
    "FastEthernet",
    "FortyGigabitEthernet",
    "GigabitEthernet",
    "HundredGigE",
    "Loopback",
    "Null",
    "Port-channel",
    "Serial",
    "TenGigabitEthernet",
    "Tunnel",
    "TwentyFiveGigE",
    "Virtual-Template",
    "Vlan",
};

bool begins_with(std::string_view whole, std::string_view part) {
    const auto lower = [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    };
    return part.size() <= whole.size() &&
           std::equal(part.begin(), part.end(), whole.begin(), [&](char a, char b) {
               return lower(a) == lower(b);
           });
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/// Where the number begins: the first digit.
std::size_t number_at(std::string_view name) {
    return std::min(name.find_first_of("0123456789"), name.size());
}

} // namespace

std::span<const char* const> interface_types() {
    return kTypes;
}

Result<std::string> interface_type(std::string_view abbreviation) {
    const char* found = nullptr;
    for (const char* type : kTypes) {
        if (abbreviation.empty() || !begins_with(type, abbreviation))
            continue;
        if (found != nullptr)
            return fail(ErrorCode::Invalid,
                        "interface type '" + std::string(abbreviation) + "' is ambiguous");
        found = type;
    }
    if (found == nullptr)
        return fail(ErrorCode::Invalid,
                    "'" + std::string(abbreviation) + "' is not an interface type");
    return std::string(found);
}

bool is_interface_number(std::string_view text) {
    constexpr std::size_t kMaxDigits = 9; // so that numbers compare as 32-bit integers
    std::size_t run = 0;
    bool zero = false; // the run is a lone 0: nothing may follow, or one port had two names
    for (const char c : text) {
        if (is_digit(c) && run < kMaxDigits && !zero) {
            zero = run++ == 0 && c == '0';
        } else if ((c == '/' || c == '.') && run > 0) {
            run = 0;
            zero = false;
        } else {
            return false;
        }
    }
    return run > 0;
}

Result<std::string> canonical_interface(std::string_view text) {
    const std::size_t split = number_at(text);
    std::string_view type = text.substr(0, split);
    while (!type.empty() && type.back() == ' ')
        type.remove_suffix(1);
    std::string name = TRY(interface_type(type));
    if (!is_interface_number(text.substr(split)))
        return fail(ErrorCode::Invalid, "'" + std::string(text) + "' has no interface number");
    return name.append(text.substr(split));
}

bool InterfaceNameLess::operator()(const std::string& left, const std::string& right) const {
    const std::size_t left_at = number_at(left);
    const std::size_t right_at = number_at(right);
    if (const int order = left.compare(0, left_at, right, 0, right_at); order != 0)
        return order < 0;
    const char* a = left.data() + left_at;
    const char* b = right.data() + right_at;
    const char* const a_end = left.data() + left.size();
    const char* const b_end = right.data() + right.size();
    while (a != a_end && b != b_end) {
        if (is_digit(*a) && is_digit(*b)) {
            std::uint64_t x = 0;
            std::uint64_t y = 0;
            a = std::from_chars(a, a_end, x).ptr;
            b = std::from_chars(b, b_end, y).ptr;
            if (x != y)
                return x < y;
        } else {
            if (*a != *b)
                return *a < *b;
            ++a;
            ++b;
        }
    }
    if (a != a_end || b != b_end)
        return a == a_end;
    return false;
}

} // namespace adit::config

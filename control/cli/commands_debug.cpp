// SPDX-License-Identifier: Apache-2.0
// EXEC mode: debug, and what narrows it down.
#include "control/cli/grammar.h"
#include "control/cli/session.h"

#include <charconv>
#include <cstdio>

namespace adit::cli {

namespace {

std::string debug(Session& session, const Match& match) {
    const bool isakmp = match.has("isakmp");
    const bool on = !match.has("no") && !match.has("undebug");
    const Status status =
        session.host().set_debug(isakmp ? DebugTopic::Isakmp : DebugTopic::Ipsec, on);
    if (!status)
        return session.answer(status);
    // Who asks for it wants to see it, also without `terminal monitor`.
    if (on)
        session.set_monitoring(true);
    return std::string("Crypto ") + (isakmp ? "ISAKMP" : "IPSEC") + " debugging is " +
           (on ? "on" : "off") + '\n';
}

std::string undebug_all(Session& session, const Match&) {
    for (const DebugTopic topic : {DebugTopic::Isakmp, DebugTopic::Ipsec})
        if (const Status status = session.host().set_debug(topic, false); !status)
            return session.answer(status);
    if (const Status status = session.host().export_keys(std::nullopt); !status)
        return session.answer(status);
    return "All possible debugging has been turned off\n";
}

std::string export_keys(Session& session, const Match& match) {
    const bool on = match.has("debug") && !match.has("no");
    std::optional<std::string> path;
    if (on)
        path = match.text(ArgKind::Name);
    if (const Status status = session.host().export_keys(path); !status)
        return session.answer(status);
    session.host().log({.severity = Severity::Warning,
                        .facility = "VPNDIAG",
                        .mnemonic = "KEY_EXPORT",
                        .text = on ? session.options().user + " writes session keys to " + *path
                                   : session.options().user + " ended the export of session keys"});
    return on ? "Session keys are written to " + *path + '\n'
              : "Session keys are no longer written\n";
}

// --- conditions ---------------------------------------------------------------------------------

/// "0x1a2b" or "1a2b", of a number of `digits`.
template <class Int>
std::optional<Int> hexadecimal(std::string_view text, std::size_t digits = 2 * sizeof(Int)) {
    if (text.starts_with("0x") || text.starts_with("0X"))
        text.remove_prefix(2);
    Int value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
    if (text.empty() || text.size() > digits || error != std::errc{} ||
        end != text.data() + text.size())
        return std::nullopt;
    return value;
}

template <class Item> void put(std::set<Item>& items, Item item, bool on) {
    if (on)
        items.insert(item);
    else
        items.erase(item);
}

bool is_wanted(const Match& match) {
    return !match.has("no") && !match.has("undebug");
}

std::string set_condition(Session& session, ike::DebugCondition condition) {
    session.host().set_debug_condition(std::move(condition));
    return {};
}

std::string condition_peer(Session& session, const Match& match) {
    ike::DebugCondition condition = session.host().debug_condition();
    put(condition.peers, match.address(), is_wanted(match));
    return set_condition(session, std::move(condition));
}

std::string condition_cookie(Session& session, const Match& match) {
    const std::string word = match.text(ArgKind::Name);
    const auto cookie = hexadecimal<std::uint64_t>(word);
    if (!cookie)
        return session.refuse("'" + word + "' is no cookie: up to 16 hexadecimal digits, as " +
                              "show crypto isakmp peers prints them");
    ike::DebugCondition condition = session.host().debug_condition();
    put(condition.cookies, Cookie{*cookie}, is_wanted(match));
    return set_condition(session, std::move(condition));
}

std::string condition_spi(Session& session, const Match& match) {
    const std::string word = match.text(ArgKind::Name);
    const auto spi = hexadecimal<std::uint32_t>(word);
    if (!spi)
        return session.refuse("'" + word + "' is no SPI: up to 8 hexadecimal digits, as " +
                              "show crypto ipsec sa prints them");
    ike::DebugCondition condition = session.host().debug_condition();
    put(condition.spis, Spi{*spi}, is_wanted(match));
    return set_condition(session, std::move(condition));
}

std::string condition_reset(Session& session, const Match&) {
    return set_condition(session, {});
}

template <class Items, class Words>
void append_filters(std::string& text, const char* title, const Items& items, const Words& words) {
    if (items.empty())
        return;
    text += '\n' + std::string{title} + ":\n";
    for (const auto& item : items)
        text += words(item) + '\n';
}

std::string hex_words(std::uint64_t value, int digits) {
    char text[24];
    std::snprintf(text, sizeof text, "0x%0*llX", digits, static_cast<unsigned long long>(value));
    return text;
}

std::string show_condition(Session& session, const Match&) {
    const ike::DebugCondition condition = session.host().debug_condition();
    std::string text = std::string{"Crypto conditional debug currently is turned "} +
                       (condition.empty() ? "OFF\n" : "ON\n");
    append_filters(text, "IKE peer IP address filters", condition.peers, [](Ipv4Address peer) {
        return to_string(peer);
    });
    append_filters(text, "ISAKMP cookie filters", condition.cookies, [](Cookie cookie) {
        return hex_words(cookie.value, 16);
    });
    append_filters(
        text, "IPsec SPI filters", condition.spis, [](Spi spi) { return hex_words(spi.value, 8); });
    return text;
}

constexpr Row kRows[] = {
    privileged("{debug|no debug|undebug} crypto {isakmp|ipsec}", "Watch negotiations", debug),
    privileged("debug crypto isakmp keys NAME",
               "Write session keys to a file, for a packet analyser",
               export_keys),
    privileged("{no debug|undebug} crypto isakmp keys", "Stop writing session keys", export_keys),
    privileged("{no debug|undebug} all", "Switch all debugging off", undebug_all),
    privileged("{debug|no debug|undebug} crypto condition peer ipv4 A.B.C.D",
               "Watch this peer only",
               condition_peer),
    privileged("{debug|no debug|undebug} crypto condition isakmp cookie NAME",
               "Watch the ISAKMP SA with this cookie, of either side",
               condition_cookie),
    privileged("{debug|no debug|undebug} crypto condition spi NAME",
               "Watch the IPsec SA with this SPI, and its ISAKMP SA while it negotiates",
               condition_spi),
    privileged("debug crypto condition reset", "Watch everything again", condition_reset),
    user("show crypto debug-condition", "What narrows debugging down", show_condition),
};

} // namespace

std::span<const Row> debug_rows() {
    return kRows;
}

} // namespace adit::cli

// SPDX-License-Identifier: Apache-2.0
// One log line: severity, facility, mnemonic, text. The line reads like a router's:
//
//     %CRYPTO-6-IKMP_MODE_FAILURE: Processing of Main mode failed with peer at 192.0.2.20
//
// Texts that collectors know (CLI.md 2.1) are kept word for word; our own evidence goes into a
// second message of facility VPNDIAG. Peers cannot make us log faster than the limit: each
// (mnemonic, subject) has a budget, and what was held back is counted and said later.
//
// Threading: Logger is used by one thread (control's loop, the dataplane's housekeeper).
#pragma once

#include "common/clock.h"

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace adit {

enum class Severity : std::uint8_t { // RFC 5424 6.2.1
    Emergency,
    Alert,
    Critical,
    Error,
    Warning,
    Notice,
    Informational,
    Debug,
};

struct LogRecord {
    Severity severity{Severity::Informational};
    std::string facility; // "CRYPTO", "VPNDIAG", "LINK", "SYS"
    std::string mnemonic; // "IKMP_MODE_FAILURE"
    std::string text;
    std::string subject; // what the rate limit counts by, usually the peer's address; may be empty
};

/// "%CRYPTO-6-IKMP_MODE_FAILURE: text".
std::string format(const LogRecord& record);

class Logger {
  public:
    using Sink = std::function<void(const LogRecord&, const std::string& line)>;

    /// Per (mnemonic, subject): at most this many lines a period, the rest counted.
    static constexpr unsigned kBurst = 10;
    static constexpr Duration kPeriod = std::chrono::minutes{1};
    /// More subjects than this share one budget, so that spoofed peers cannot grow the table.
    static constexpr std::size_t kMaxSubjects = 1024;

    void add_sink(Sink sink) { sinks_.push_back(std::move(sink)); }

    /// Hands the line to every sink unless its budget is used up. Records without a subject are
    /// never limited: they come from the operator or from ourselves.
    void write(const LogRecord& record, Instant now);

    [[nodiscard]] std::uint64_t suppressed() const { return suppressed_total_; }

  private:
    struct Budget {
        Instant period_start;
        unsigned used{0};
        unsigned suppressed{0};
    };

    void emit(const LogRecord& record);

    std::vector<Sink> sinks_;
    std::map<std::string, Budget, std::less<>> budgets_;
    std::uint64_t suppressed_total_{0};
};

/// Appends "YYYY-MM-DDTHH:MM:SS.mmmZ line" to standard error.
Logger::Sink stderr_sink(std::string program);

} // namespace adit

// SPDX-License-Identifier: Apache-2.0
#include "common/log.h"

#include <cstdio>
#include <ctime>

namespace adit {

std::string format(const LogRecord& record) {
    std::string line = "%" + record.facility + "-" +
                       std::to_string(static_cast<unsigned>(record.severity)) + "-" +
                       record.mnemonic + ": " + record.text;
    // What a peer sent may end up in a text: a log line stays one line.
    for (char& c : line)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
            c = '.';
    return line;
}

void Logger::emit(const LogRecord& record) {
    const std::string line = format(record);
    for (const Sink& sink : sinks_)
        sink(record, line);
}

void Logger::write(const LogRecord& record, Instant now) {
    if (record.subject.empty()) {
        emit(record);
        return;
    }
    std::string key = record.mnemonic + " " + record.subject;
    if (budgets_.size() >= kMaxSubjects && !budgets_.contains(key)) {
        std::erase_if(budgets_, [&](const auto& entry) {
            return now - entry.second.period_start >= kPeriod && entry.second.suppressed == 0;
        });
        if (budgets_.size() >= kMaxSubjects)
            key = record.mnemonic;
    }
    Budget& budget = budgets_[key];
    if (now - budget.period_start >= kPeriod) {
        if (budget.suppressed > 0) {
            LogRecord summary = record;
            summary.text =
                std::to_string(budget.suppressed) + " more like this held back in the last minute";
            emit(summary);
        }
        budget = Budget{now, 0, 0};
    }
    if (budget.used >= kBurst) {
        ++budget.suppressed;
        ++suppressed_total_;
        return;
    }
    ++budget.used;
    emit(record);
}

Logger::Sink stderr_sink(std::string program) {
    return [program = std::move(program)](const LogRecord&, const std::string& line) {
        timespec now{};
        clock_gettime(CLOCK_REALTIME, &now);
        tm parts{};
        gmtime_r(&now.tv_sec, &parts);
        char stamp[32];
        std::strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &parts);
        std::fprintf(stderr,
                     "%s.%03ldZ %s %s\n",
                     stamp,
                     now.tv_nsec / 1'000'000,
                     program.c_str(),
                     line.c_str());
    };
}

} // namespace adit

// SPDX-License-Identifier: Apache-2.0
// Lines of any octets in every mode: parsing, `?` and Tab end, the marker points into the line, and
// Tab never takes anything away.
#include "common/error.h"
#include "control/cli/grammar.h"
#include "control/config/editor.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace {

using namespace adit::cli;

void try_line(Mode mode, std::string_view line) {
    const Grammar& grammar = config_grammar();
    const Parsed parsed = grammar.parse(mode, line);
    ENSURE(parsed.kind != Parsed::Kind::Matched || parsed.row != nullptr);
    ENSURE(parsed.column <= line.size());
    static_cast<void>(grammar.help(mode, line));
    ENSURE(grammar.complete(mode, line).size() >= line.size());
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0)
        return 0;
    const auto mode = static_cast<Mode>(data[0] % static_cast<unsigned>(Mode::Count_));
    std::string_view text{reinterpret_cast<const char*>(data + 1), size - 1};
    adit::config::Editor editor;
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        try_line(mode, line);
        editor.line(line);
        text.remove_prefix(line.size() == text.size() ? text.size() : line.size() + 1);
    }
    return 0;
}

// SPDX-License-Identifier: Apache-2.0
// A configuration text of any octets: reading ends, every problem names a line of the text, and
// what was understood comes back the same when it is printed and read again.
#include "common/error.h"
#include "control/config/parse.h"
#include "control/config/render.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace adit::config;
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    const ParseResult first = parse_config(text);
    const auto lines = 1 + std::count(text.begin(), text.end(), '\n');
    for (const Problem& problem : first.problems)
        ENSURE(problem.line <= static_cast<unsigned>(lines));
    const std::string printed = render(first.config, Secrets::Clear);
    ENSURE(render(parse_config(printed).config, Secrets::Clear) == printed);
    return 0;
}

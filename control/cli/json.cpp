// SPDX-License-Identifier: Apache-2.0
#include "control/cli/json.h"

#include <cstdio>

namespace adit::cli {

static std::string quoted(std::string_view text) {
    std::string made = "\"";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            made += '\\';
            made += c;
        } else if (byte < 0x20 ||
                   byte >= 0x7f) { // RFC 8259 7; what is no ASCII is shown by its octets
            char escaped[8];
            std::snprintf(escaped, sizeof escaped, "\\u%04x", byte);
            made += escaped;
        } else {
            made += c;
        }
    }
    return made + '"';
}

Json::Json(std::string_view text) : text_(quoted(text)) {}

void JsonList::add(const Json& item) {
    items_ += (items_.empty() ? "" : ",") + item.text();
}

JsonObject::JsonObject(std::initializer_list<std::pair<const char*, Json>> members) {
    for (const auto& [name, value] : members)
        add(name, value);
}

void JsonObject::add(std::string_view name, const Json& value) {
    members_ += (members_.empty() ? "" : ",") + quoted(name) + ':' + value.text();
}

std::string json_answer(const char* schema, std::string_view name, const Json& value) {
    JsonObject answer;
    answer.add("schema", std::string{schema} + "/1");
    answer.add(name, value);
    return Json{answer}.text() + '\n';
}

} // namespace adit::cli

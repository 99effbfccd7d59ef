// SPDX-License-Identifier: Apache-2.0
// Reads the known-answer files of tests/vectors. A file that is missing or malformed ends the test
// program: a known answer that was never compared must not look like a pass.
#pragma once

#include "common/bytes.h"

#include <nlohmann/json.hpp>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace adit::test {

[[noreturn]] inline void vector_failure(const std::string& what) {
    std::fprintf(stderr, "test vectors: %s\n", what.c_str());
    std::abort();
}

/// `path` is relative to tests/vectors.
inline std::ifstream open_vectors(const std::string& path) {
    std::ifstream file{std::string{ADIT_TEST_VECTORS} + "/" + path};
    if (!file)
        vector_failure("cannot open " + path);
    return file;
}

inline nlohmann::json load_json(const std::string& path) {
    std::ifstream file = open_vectors(path);
    nlohmann::json parsed = nlohmann::json::parse(file, nullptr, false);
    if (parsed.is_discarded())
        vector_failure(path + " is not JSON");
    return parsed;
}

inline Bytes unhex(std::string_view text) {
    const auto bytes = from_hex(text);
    if (!bytes)
        vector_failure("not hex: " + std::string{text.substr(0, 40)});
    return *bytes;
}

/// A string field of a JSON object. (Comparing with json itself is ambiguous for some compilers.)
inline std::string text(const nlohmann::json& object, const char* field) {
    return object.at(field).get<std::string>();
}

/// A hex field of a JSON object.
inline Bytes unhex(const nlohmann::json& object, const char* field) {
    return unhex(text(object, field));
}

/// One answer of a NIST .rsp file, with the [sections] it stands under; "[SHA-1]" is section
/// "SHA-1" with an empty value.
struct RspRecord {
    std::map<std::string, std::string> sections;
    std::map<std::string, std::string> fields;

    [[nodiscard]] const std::string& text(const std::string& field) const {
        const auto found = fields.find(field);
        if (found == fields.end())
            vector_failure("no field " + field);
        return found->second;
    }

    [[nodiscard]] Bytes bytes(const std::string& field) const { return unhex(text(field)); }

    [[nodiscard]] bool in_section(const std::string& name) const { return sections.contains(name); }
};

namespace detail {

inline std::pair<std::string, std::string> split_assignment(const std::string& line) {
    const std::size_t equals = line.find(" =");
    if (equals == std::string::npos)
        return {line, ""};
    const std::size_t value = line.find_first_not_of(' ', equals + 2);
    return {line.substr(0, equals), value == std::string::npos ? "" : line.substr(value)};
}

} // namespace detail

/// Records are parted by empty lines. A run of [section] lines replaces the run before it.
inline std::vector<RspRecord> load_rsp(const std::string& path) {
    std::ifstream file = open_vectors(path);
    std::vector<RspRecord> records;
    RspRecord current;
    bool sections_open = false;
    const auto finish = [&] {
        if (!current.fields.empty())
            records.push_back(current);
        current.fields.clear();
    };
    for (std::string line; std::getline(file, line);) {
        if (!line.empty() && line.back() == '\r')
            line.pop_back();
        if (line.empty()) {
            finish();
        } else if (line.front() == '[') {
            if (!sections_open)
                current.sections.clear();
            sections_open = true;
            current.sections.insert(detail::split_assignment(line.substr(1, line.size() - 2)));
        } else if (line.front() != '#') {
            sections_open = false;
            current.fields.insert(detail::split_assignment(line));
        }
    }
    finish();
    if (records.empty())
        vector_failure(path + " holds nothing");
    return records;
}

} // namespace adit::test

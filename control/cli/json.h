// SPDX-License-Identifier: Apache-2.0
// The machine's form of what `show` prints: `json` as the last word. Every answer is one object
// whose "schema" names its shape and version ("crypto.isakmp.sa/1"): members may be added under a
// version, never renamed or removed.
//
// Threading: plain values.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace adit::cli {

/// A value, already as text.
class Json {
  public:
    Json(std::string_view text); // NOLINT(*-explicit-*)

    Json(const std::string& text) : Json(std::string_view{text}) {} // NOLINT(*-explicit-*)

    Json(const char* text) : Json(std::string_view{text}) {} // NOLINT(*-explicit-*)

    Json(bool truth) : text_(truth ? "true" : "false") {} // NOLINT(*-explicit-*)

    template <std::integral Number>
        requires(!std::same_as<Number, bool>)
    Json(Number number) : text_(std::to_string(number)) {} // NOLINT(*-explicit-*)

    static Json null() { return Json{Raw{"null"}}; }

    [[nodiscard]] const std::string& text() const { return text_; }

  private:
    friend class JsonList;
    friend class JsonObject;

    struct Raw {
        std::string text;
    };

    explicit Json(Raw raw) : text_(std::move(raw.text)) {}

    std::string text_;
};

/// Items in their order.
class JsonList {
  public:
    void add(const Json& item);

    operator Json() const { return Json{Json::Raw{"[" + items_ + "]"}}; } // NOLINT(*-explicit-*)

  private:
    std::string items_;
};

/// Members in their order.
class JsonObject {
  public:
    JsonObject() = default;
    JsonObject(std::initializer_list<std::pair<const char*, Json>> members);

    void add(std::string_view name, const Json& value);

    operator Json() const { return Json{Json::Raw{"{" + members_ + "}"}}; } // NOLINT(*-explicit-*)

  private:
    std::string members_;
};

/// The whole answer: one line and its end. `schema` without its version, which is 1 of all so far.
std::string json_answer(const char* schema, std::string_view name, const Json& value);

} // namespace adit::cli

// SPDX-License-Identifier: Apache-2.0
#include "control/cli/json.h"

#include <gtest/gtest.h>

namespace adit::cli {
namespace {

std::string text(const Json& value) {
    return value.text();
}

TEST(Json, QuotesWhatNeedsIt) {
    EXPECT_EQ(text("plain"), "\"plain\"");
    EXPECT_EQ(text("a \"b\" \\ c"), R"("a \"b\" \\ c")");
    EXPECT_EQ(text("line\nend\x7f"), "\"line\\u000aend\\u007f\"");
}

TEST(Json, NumbersAndWords) {
    EXPECT_EQ(text(-3), "-3");
    EXPECT_EQ(text(std::uint64_t{18'446'744'073'709'551'615U}), "18446744073709551615");
    EXPECT_EQ(text(true), "true");
    EXPECT_EQ(text(Json::null()), "null");
}

TEST(Json, ListsAndObjectsKeepTheirOrder) {
    JsonList list;
    EXPECT_EQ(text(list), "[]");
    list.add(1);
    list.add("b");
    JsonObject object{{"z", list}, {"a", JsonObject{}}};
    EXPECT_EQ(text(object), R"({"z":[1,"b"],"a":{}})");
    EXPECT_EQ(json_answer("some.thing", "items", list),
              "{\"schema\":\"some.thing/1\",\"items\":[1,\"b\"]}\n");
}

} // namespace
} // namespace adit::cli

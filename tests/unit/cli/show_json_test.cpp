// SPDX-License-Identifier: Apache-2.0
// `json` behind every show command: one object, a named schema, and the values of the table.
#include "control/cli/session.h"
#include "tests/unit/cli/fake_host.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace adit::cli {
namespace {

using nlohmann::json;

class ShowJsonTest : public ::testing::Test {
  protected:
    json show(const std::string& command) {
        const std::string text = session.execute(command + " json");
        EXPECT_FALSE(session.failed()) << command << ": " << text;
        EXPECT_TRUE(json::accept(text)) << command << ": " << text;
        return json::parse(text, nullptr, false);
    }

    test::FakeHost host;
    Session session{host, {.user = "admin"}};
};

TEST_F(ShowJsonTest, EveryShowCommandHasIt) {
    host.files["startup-config"] = "hostname gw-a\nend\n";
    unsigned tried = 0;
    for (const Grammar::Entry& entry : exec_grammar().entries()) {
        const std::string syntax = entry.row->syntax;
        if (!syntax.starts_with("show ") ||
            syntax.find_first_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ<{") < syntax.find('['))
            continue;
        const json answer = show(syntax.substr(0, syntax.find(" [")));
        EXPECT_TRUE(answer.contains("schema")) << syntax;
        EXPECT_TRUE(answer["schema"].get<std::string>().ends_with("/1")) << syntax;
        ++tried;
    }
    EXPECT_GT(tried, 40U);
}

TEST_F(ShowJsonTest, IsakmpSas) {
    const json sa = show("show crypto isakmp sa")["sas"][0];
    EXPECT_EQ(sa["conn_id"], 1003);
    EXPECT_EQ(sa["role"], "responder");
    EXPECT_EQ(sa["peer"], "192.0.2.20");
    EXPECT_EQ(sa["state"], "QM_IDLE");
    EXPECT_EQ(sa["encryption"], "aes 256");
    EXPECT_EQ(sa["group"], 14);
}

TEST_F(ShowJsonTest, IpsecSas) {
    const json answer = show("show crypto ipsec sa");
    EXPECT_EQ(answer["schema"], "crypto.ipsec.sa/1");
    const json flow = answer["flows"][0];
    EXPECT_EQ(flow["local_ts"], "10.1.0.0/16");
    EXPECT_EQ(flow["counters"]["encaps"], 1205);
    EXPECT_EQ(flow["sas"][0]["inbound"]["spi"], "0x1f2e3d4c");
    EXPECT_EQ(flow["sas"][0]["inbound"]["packets"], 198);
    EXPECT_TRUE(show("show crypto ipsec sa peer 192.0.2.99")["flows"].empty());
}

TEST_F(ShowJsonTest, OtherCommandsGiveTheirLines) {
    const json answer = show("show privilege");
    EXPECT_EQ(answer["schema"], "text/1");
    EXPECT_EQ(answer["answer"]["command"], "show privilege json");
    EXPECT_EQ(answer["answer"]["lines"], json::array({"Current privilege level is 15"}));
}

TEST_F(ShowJsonTest, SecretsStayHidden) {
    EXPECT_EQ(show("show running-config").dump().find("swordfish"), std::string::npos);
}

TEST_F(ShowJsonTest, TechSupportHasEverySection) {
    const std::string text = session.execute("show tech-support");
    EXPECT_THAT(text, ::testing::HasSubstr("--- show crypto diagnose ---"));
    EXPECT_THAT(text, ::testing::HasSubstr("crypto isakmp key <hidden> address 192.0.2.20"));
    EXPECT_EQ(text.find("swordfish"), std::string::npos);
}

} // namespace
} // namespace adit::cli

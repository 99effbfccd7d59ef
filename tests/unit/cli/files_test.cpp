// SPDX-License-Identifier: Apache-2.0
// The configuration as a whole, typed: saved, copied, compared, replaced, taken back.
#include "control/cli/session.h"
#include "tests/unit/cli/fake_host.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace adit::cli {

namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

constexpr const char* kSaved = "Building configuration...\n[OK]\n";

class FilesTest : public ::testing::Test {
  protected:
    std::string type(const std::string& line) { return session.execute(line); }

    void configure(std::initializer_list<const char*> lines) {
        type("configure terminal");
        for (const char* line : lines)
            EXPECT_FALSE((type(line), session.failed())) << line;
        type("end");
    }

    test::FakeHost host;
    Session session{host, {.user = "admin"}};
};

TEST_F(FilesTest, CopyAsksForTheNameAndTakesTheUsualOne) {
    EXPECT_THAT(type("copy running-config startup-config"), IsEmpty());
    EXPECT_EQ(session.prompt(), "Destination filename [startup-config]? ");
    EXPECT_EQ(type(""), kSaved);
    EXPECT_EQ(session.prompt(), "gw-a#");
}

TEST_F(FilesTest, AnotherNameIsAnotherFile) {
    type("copy running-config startup-config");
    EXPECT_THAT(type("flash:before-friday"), HasSubstr("bytes copied"));
    EXPECT_THAT(host.files["before-friday"], HasSubstr("key swordfish address 192.0.2.20"));
    EXPECT_THAT(host.asked, IsEmpty());
}

TEST_F(FilesTest, ControlCDropsTheQuestion) {
    type("copy running-config startup-config");
    EXPECT_EQ(session.interrupt(), "");
    EXPECT_EQ(session.prompt(), "gw-a#");
    EXPECT_THAT(host.asked, IsEmpty());
}

TEST_F(FilesTest, WhoHasNoTerminalIsNotAsked) {
    Session script{host, {.user = "admin", .interactive = false}};
    EXPECT_EQ(script.execute("copy running-config startup-config"), kSaved);
}

TEST_F(FilesTest, StartupConfigurationIsShownWithoutSecrets) {
    EXPECT_THAT(type("show startup-config"), StartsWith("% startup-config is not present"));
    type("write memory");
    const std::string shown = type("show startup-config");
    EXPECT_THAT(shown, StartsWith("Using "));
    EXPECT_THAT(shown, HasSubstr("crypto isakmp key <hidden> address 192.0.2.20"));
    EXPECT_THAT(shown, Not(HasSubstr("swordfish")));
}

TEST_F(FilesTest, DifferencesStandUnderTheirBlocks) {
    type("write memory");
    EXPECT_EQ(type("show archive config differences"),
              "!Contextual Config Diffs:\n!No changes were found\n");
    configure({"crypto isakmp policy 10",
               "group 19",
               "crypto isakmp policy 20",
               "encr aes 256",
               "crypto isakmp key another address 192.0.2.20",
               "no ip access-list extended NONE"});
    EXPECT_EQ(type("show configuration differences"),
              "!Contextual Config Diffs:\n"
              "-crypto isakmp key <hidden> address 192.0.2.20\n"
              "crypto isakmp policy 10\n"
              " -group 14\n"
              " +group 19\n"
              "+crypto isakmp policy 20\n"
              " +encr aes 256\n"
              "+crypto isakmp key <hidden> address 192.0.2.20\n");
}

TEST_F(FilesTest, ReplaceAsksAndTakesAllOrNothing) {
    type("copy running-config before");
    configure({"hostname other"});
    EXPECT_EQ(session.prompt(), "other#");
    type("configure replace flash:before");
    EXPECT_THAT(session.prompt(), HasSubstr("[no]: "));
    EXPECT_EQ(type("no"), "Abandoned\n");
    EXPECT_EQ(session.prompt(), "other#");
    type("configure replace flash:before");
    EXPECT_EQ(type("y"), "Total number of passes: 1\nRollback Done\n");
    EXPECT_EQ(session.prompt(), "gw-a#");

    host.files["bad"] = "hostname third\ncrypto isakmp policy 20\n encr aes 257\nend\n";
    const std::string answer = type("configure replace bad force");
    EXPECT_THAT(answer, StartsWith("% The configuration was not changed:\n"));
    EXPECT_THAT(answer, HasSubstr("line 3"));
    EXPECT_EQ(session.prompt(), "gw-a#");
    EXPECT_THAT(type("configure replace nothing force"), StartsWith("% there is no file nothing"));
}

TEST_F(FilesTest, MergeAddsTheLinesOfAFile) {
    host.files["more"] = "hostname merged\ncrypto isakmp policy 30\n group 19\n";
    EXPECT_EQ(type("copy flash:more running-config"), "");
    EXPECT_EQ(session.prompt(), "merged#");
    EXPECT_TRUE(host.running->isakmp_policies.contains(10));
    EXPECT_TRUE(host.running->isakmp_policies.contains(30));
    host.files["more"] = "hostname again\nnonsense\n";
    EXPECT_EQ(type("copy flash:more running-config"),
              "% The configuration was not changed; refused are\nline 2: nonsense\n");
    EXPECT_EQ(session.prompt(), "merged#");
}

TEST_F(FilesTest, ATimerTakesTheConfigurationBack) {
    EXPECT_EQ(type("show archive config rollback timer"),
              "%No Rollback Confirmed Change pending\n");
    EXPECT_THAT(type("configure confirm"), StartsWith("% No Rollback Confirmed Change pending"));
    type("configure terminal revert timer 5");
    type("hostname risky");
    type("end");
    EXPECT_EQ(session.prompt(), "risky#");
    EXPECT_THAT(type("show archive config rollback timer"), HasSubstr("300 seconds"));
    EXPECT_EQ(type("configure revert now"), "");
    EXPECT_EQ(session.prompt(), "gw-a#");
    type("configure terminal revert timer 5");
    type("hostname kept");
    type("end");
    EXPECT_EQ(type("configure confirm"), "");
    EXPECT_THAT(type("configure revert now"), StartsWith("% No Rollback"));
    EXPECT_EQ(session.prompt(), "kept#");
}

TEST_F(FilesTest, Directory) {
    type("write memory");
    const std::string all = type("dir");
    EXPECT_THAT(all, StartsWith("Directory of flash:/\n"));
    EXPECT_THAT(all, HasSubstr("startup-config\n\n1000000 bytes total (400000 bytes free)\n"));
    EXPECT_EQ(type("dir nothing"), "%Error opening flash:/nothing (No such file or directory)\n");
    EXPECT_TRUE(session.failed());
}

} // namespace

} // namespace adit::cli

// SPDX-License-Identifier: Apache-2.0
#include "control/local_files.h"

#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace adit {
namespace {

using ::testing::HasSubstr;

class LocalFilesTest : public ::testing::Test {
  protected:
    LocalFilesTest() {
        std::string name = ::testing::TempDir() + "local-files-XXXXXX";
        folder = ::mkdtemp(name.data());
    }

    ~LocalFilesTest() override { std::filesystem::remove_all(folder); }

    std::filesystem::path folder;
};

TEST_F(LocalFilesTest, WhatIsWrittenIsReadAndForItsOwnerAlone) {
    const LocalFiles files((folder / "startup-config").string());
    ASSERT_TRUE(files.write("before", "hostname a\n").has_value());
    EXPECT_EQ(files.read("before").value(), "hostname a\n");
    struct stat about{};
    ASSERT_EQ(::stat((folder / "before").c_str(), &about), 0);
    EXPECT_EQ(about.st_mode & 0777U, 0600U);
}

TEST_F(LocalFilesTest, NamesLeadNowhereElse) {
    const LocalFiles files((folder / "startup-config").string());
    for (const char* name : {"", "..", "../x", "/etc/passwd", "a/b", ".hidden", "a b", "a\nb"}) {
        EXPECT_FALSE(files.read(name).has_value()) << name;
        EXPECT_FALSE(files.write(name, "x").has_value()) << name;
    }
    EXPECT_TRUE(std::filesystem::is_empty(folder));
}

TEST_F(LocalFilesTest, TheStartupConfigurationHasItsOwnCommand) {
    const LocalFiles files((folder / "startup-config").string());
    const Status written = files.write("startup-config", "x");
    ASSERT_FALSE(written.has_value());
    EXPECT_THAT(written.error().text, HasSubstr("write memory"));
}

TEST_F(LocalFilesTest, MachineListsFilesByName) {
    std::ofstream(folder / "b") << "12345";
    std::ofstream(folder / "a") << "1";
    std::filesystem::create_directory(folder / "sub");
    const cli::Machine machine = LocalFiles((folder / "startup-config").string()).machine();
    ASSERT_EQ(machine.files.size(), 2U);
    EXPECT_EQ(machine.files[0].name, "a");
    EXPECT_EQ(machine.files[1].bytes, 5U);
    EXPECT_GT(machine.disk_bytes, machine.disk_free_bytes);
    EXPECT_GT(machine.memory_bytes, machine.control_bytes);
    EXPECT_GT(machine.control_bytes, 0U);
}

} // namespace
} // namespace adit

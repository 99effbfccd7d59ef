// SPDX-License-Identifier: Apache-2.0
// tests/cli: NAME.in is typed into a session line by line, what the terminal shows must be
// NAME.expected. A line ending in `?` or TAB asks for help or completion instead of Enter.
//
// ADIT_UPDATE_TRANSCRIPTS=1 in the environment writes the expected files anew; read the difference.
#include "control/cli/session.h"
#include "tests/unit/cli/fake_host.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>

namespace adit::cli {

namespace {

namespace fs = std::filesystem;

std::string read(const fs::path& path) {
    std::ifstream file(path);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

std::string play(const std::string& input) {
    test::FakeHost host;
    Session session{host, {.user = "admin"}};
    std::istringstream lines(input);
    std::string screen;
    std::string line;
    while (!session.closed() && std::getline(lines, line)) {
        screen += session.prompt() + line;
        const char last = line.empty() ? '\0' : line.back();
        const std::string typed = line.substr(0, line.empty() ? 0 : line.size() - 1);
        if (last == '?')
            screen += '\n' + session.question(typed);
        else if (last == '\t')
            screen += "\n[" + session.complete(typed) + "]\n";
        else
            screen += '\n' + session.execute(line);
    }
    return screen;
}

std::vector<fs::path> scripts() {
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(ADIT_CLI_TRANSCRIPTS))
        if (entry.path().extension() == ".in")
            found.push_back(entry.path());
    std::sort(found.begin(), found.end());
    return found;
}

class Transcript : public ::testing::TestWithParam<fs::path> {};

TEST_P(Transcript, ShowsWhatIsExpected) {
    const std::string screen = play(read(GetParam()));
    fs::path expected = GetParam();
    expected.replace_extension(".expected");
    if (std::getenv("ADIT_UPDATE_TRANSCRIPTS") != nullptr)
        std::ofstream(expected) << screen;
    EXPECT_EQ(screen, read(expected)) << GetParam();
}

std::string name_of(const ::testing::TestParamInfo<fs::path>& info) {
    return info.param.stem().string();
}

INSTANTIATE_TEST_SUITE_P(Cli, Transcript, ::testing::ValuesIn(scripts()), name_of);

} // namespace

} // namespace adit::cli

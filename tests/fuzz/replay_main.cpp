// SPDX-License-Identifier: Apache-2.0
// Feeds stored inputs to a fuzz target, so that ordinary test runs, with any compiler, replay what
// the fuzzers found. Arguments: files, or folders whose files are all replayed.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

namespace fs = std::filesystem;

bool replay(const fs::path& path) {
    std::ifstream file{path, std::ios::binary};
    const std::vector<char> content{std::istreambuf_iterator<char>{file}, {}};
    if (!file) {
        std::fprintf(stderr, "cannot read %s\n", path.c_str());
        return false;
    }
    // Of exactly its size, so that the address sanitizer sees a step past the end.
    const std::vector<std::uint8_t> input{content.begin(), content.end()};
    // Named before it runs: a crash then says which input it was.
    std::printf("%s\n", path.c_str());
    std::fflush(stdout);
    LLVMFuzzerTestOneInput(input.data(), input.size());
    return true;
}

} // namespace

int main(int argc, char** argv) {
    unsigned replayed = 0;
    for (int index = 1; index < argc; ++index) {
        const fs::path given{argv[index]};
        if (!fs::is_directory(given)) {
            if (!replay(given))
                return 1;
            ++replayed;
            continue;
        }
        for (const auto& entry : fs::recursive_directory_iterator{given}) {
            if (!entry.is_regular_file())
                continue;
            if (!replay(entry.path()))
                return 1;
            ++replayed;
        }
    }
    std::printf("%u inputs replayed\n", replayed);
    // An empty corpus would be a test that tests nothing.
    return replayed == 0 ? 1 : 0;
}

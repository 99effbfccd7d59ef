// SPDX-License-Identifier: Apache-2.0
#include "control/local_files.h"

#include "control/config/store.h"

#include <algorithm>
#include <fstream>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <unistd.h>

namespace adit {

namespace fs = std::filesystem;

/// A listing of more helps nobody, and the folder may be anybody's.
static constexpr std::size_t kMostFiles = 500;

static bool is_plain(const std::string& name) {
    constexpr std::size_t kLongest = 100;
    return !name.empty() && name.size() <= kLongest && name.front() != '.' &&
           std::ranges::all_of(name, [](unsigned char c) {
               return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
           });
}

LocalFiles::LocalFiles(const std::string& startup_path)
    : folder_(fs::absolute(startup_path).parent_path()),
      startup_name_(fs::path(startup_path).filename()) {}

Result<std::string> LocalFiles::path_of(const std::string& name) const {
    if (!is_plain(name))
        return fail(ErrorCode::Invalid,
                    "'" + name + "' is no file name here: letters, digits, '-', '_' and '.'");
    return (folder_ / name).string();
}

Result<std::string> LocalFiles::read(const std::string& name) const {
    return config::load_text(TRY(path_of(name)));
}

Status LocalFiles::write(const std::string& name, const std::string& text) const {
    const std::string path = TRY(path_of(name));
    if (name == startup_name_)
        return fail(ErrorCode::Conflict,
                    name + " is the startup configuration: write memory saves to it");
    return config::save_text(path, text);
}

static void put_memory(cli::Machine& machine) {
    struct sysinfo memory{};
    if (sysinfo(&memory) == 0) {
        machine.memory_bytes = std::uint64_t{memory.totalram} * memory.mem_unit;
        machine.memory_free_bytes =
            (std::uint64_t{memory.freeram} + memory.bufferram) * memory.mem_unit;
    }
    std::ifstream all("/proc/meminfo");
    for (std::string word; all >> word;)
        if (std::uint64_t kilobytes = 0; word == "MemAvailable:" && all >> kilobytes)
            machine.memory_available_bytes = kilobytes * 1024;
    std::ifstream own("/proc/self/statm");
    std::uint64_t size = 0;
    std::uint64_t resident = 0;
    if (own >> size >> resident)
        machine.control_bytes = resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

cli::Machine LocalFiles::machine() const {
    cli::Machine machine;
    std::error_code trouble;
    for (fs::directory_iterator at(folder_, trouble), end;
         !trouble && at != end && machine.files.size() < kMostFiles;
         at.increment(trouble)) {
        struct stat about{};
        if (::stat(at->path().c_str(), &about) == 0 && S_ISREG(about.st_mode))
            machine.files.push_back({at->path().filename(),
                                     static_cast<std::uint64_t>(about.st_size),
                                     std::chrono::system_clock::from_time_t(about.st_mtime)});
    }
    std::ranges::sort(machine.files, {}, &cli::StoredFile::name);
    const fs::space_info space = fs::space(folder_, trouble);
    if (!trouble) {
        machine.disk_bytes = space.capacity;
        machine.disk_free_bytes = space.available;
    }
    put_memory(machine);
    return machine;
}

} // namespace adit

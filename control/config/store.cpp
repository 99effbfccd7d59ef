// SPDX-License-Identifier: Apache-2.0
#include "control/config/store.h"

#include "common/unique_fd.h"
#include "control/config/parse.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace adit::config {

namespace {

constexpr mode_t kOwnerOnly = 0600;

Status write_all(int fd, std::string_view text, const std::string& path) {
    while (!text.empty()) {
        const ssize_t wrote = ::write(fd, text.data(), text.size());
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0)
            return fail_errno("write " + path);
        text.remove_prefix(static_cast<std::size_t>(wrote));
    }
    // The name must not point to the new text before the text is on the disk.
    if (::fsync(fd) < 0)
        return fail_errno("fsync " + path);
    return {};
}

} // namespace

Result<std::string> load_text(const std::string& path) {
    const UniqueFd fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
    if (fd.get() < 0) {
        if (errno == ENOENT)
            return fail(ErrorCode::NotFound, "there is no file " + path);
        return fail_errno("open " + path);
    }
    std::string text;
    std::array<char, 65536> chunk;
    for (;;) {
        const ssize_t got = ::read(fd.get(), chunk.data(), chunk.size());
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return fail_errno("read " + path);
        if (got == 0)
            return text;
        text.append(chunk.data(), static_cast<std::size_t>(got));
        if (text.size() > kMaxConfigBytes)
            return fail(ErrorCode::Exhausted, path + " is longer than 16 MB");
    }
}

Status save_text(const std::string& path, std::string_view text) {
    const std::string next = path + ".new";
    const UniqueFd fd{
        ::open(next.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, kOwnerOnly)};
    if (fd.get() < 0)
        return fail_errno("open " + next);
    // One left behind by a crash may have other permissions.
    if (::fchmod(fd.get(), kOwnerOnly) < 0)
        return fail_errno("chmod " + next);
    if (Status written = write_all(fd.get(), text, next); !written) {
        ::unlink(next.c_str());
        return written;
    }
    if (::rename(next.c_str(), path.c_str()) < 0) {
        auto failure = fail_errno("rename " + next);
        ::unlink(next.c_str());
        return failure;
    }
    return {};
}

} // namespace adit::config

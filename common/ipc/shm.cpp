// SPDX-License-Identifier: Apache-2.0
#include "common/ipc/shm.h"

#include "common/secret.h"

#include <cerrno>
#include <fcntl.h>
#include <string>
#include <sys/mman.h>
#include <sys/stat.h>
#include <utility>

namespace adit::ipc {

namespace {

constexpr int kSizeSeals = F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL;

std::unexpected<Error> bad_region(const std::string& why) {
    return fail(ErrorCode::Invalid, "shared memory from the dataplane: " + why);
}

} // namespace

Result<SharedRegion>
SharedRegion::create(const char* name, std::size_t size_bytes, PeerAccess peer, Contents contents) {
    SharedRegion region;
    region.fd_ = UniqueFd{::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING)};
    if (!region.fd_.valid())
        return fail_errno("memfd_create " + std::string{name});
    region.size_bytes_ = size_bytes;
    if (::ftruncate(region.fd(), static_cast<off_t>(size_bytes)) != 0)
        return fail_errno("ftruncate " + std::string{name} + " to " + std::to_string(size_bytes));
    TRY_VOID(region.map(Access::ReadWrite, contents));
    region.wipe_on_close_ = contents == Contents::Secrets;
    // After mapping: the seal forbids every later writable mapping, ours too, and keeps this one.
    const int seals = kSizeSeals | (peer == PeerAccess::ReadOnly ? F_SEAL_FUTURE_WRITE : 0);
    if (::fcntl(region.fd(), F_ADD_SEALS, seals) != 0)
        return fail_errno("seal " + std::string{name} + " (Linux 5.1 or newer is needed)");
    return region;
}

Result<SharedRegion> SharedRegion::attach(
    UniqueFd fd, Access access, Contents contents, std::size_t min_bytes, std::size_t max_bytes) {
    const int seals = ::fcntl(fd.get(), F_GET_SEALS);
    if (seals < 0 || (seals & kSizeSeals) != kSizeSeals)
        return bad_region("its size is not sealed");
    struct stat status{};
    if (::fstat(fd.get(), &status) != 0)
        return fail_errno("fstat of shared memory");
    const auto size_bytes = static_cast<std::size_t>(status.st_size);
    if (status.st_size < 0 || size_bytes < min_bytes || size_bytes > max_bytes)
        return bad_region(std::to_string(status.st_size) + " octets, expected " +
                          std::to_string(min_bytes) + " to " + std::to_string(max_bytes));
    SharedRegion region;
    region.fd_ = std::move(fd);
    region.size_bytes_ = size_bytes;
    TRY_VOID(region.map(access, contents));
    return region;
}

Status SharedRegion::map(Access access, Contents contents) {
    const int protection = PROT_READ | (access == Access::ReadWrite ? PROT_WRITE : 0);
    void* const mapped = ::mmap(nullptr, size_bytes_, protection, MAP_SHARED, fd(), 0);
    if (mapped == MAP_FAILED)
        return fail_errno("map " + std::to_string(size_bytes_) + " octets of shared memory");
    data_ = static_cast<std::uint8_t*>(mapped);
    if (::madvise(mapped, size_bytes_, MADV_DONTDUMP) != 0)
        return fail_errno("madvise MADV_DONTDUMP");
    // Best effort: an unprivileged process may lock little (RLIMIT_MEMLOCK). Without it, slots that
    // hold keys for some microseconds could reach swap.
    if (contents == Contents::Secrets)
        (void)::mlock(mapped, size_bytes_);
    if (contents == Contents::Journal)
        (void)::mlock2(mapped, size_bytes_, MLOCK_ONFAULT);
    return {};
}

SharedRegion::SharedRegion(SharedRegion&& other) noexcept
    : fd_(std::move(other.fd_)), data_(std::exchange(other.data_, nullptr)),
      size_bytes_(std::exchange(other.size_bytes_, 0)), wipe_on_close_(other.wipe_on_close_) {}

SharedRegion& SharedRegion::operator=(SharedRegion&& other) noexcept {
    if (this != &other) {
        close();
        fd_ = std::move(other.fd_);
        data_ = std::exchange(other.data_, nullptr);
        size_bytes_ = std::exchange(other.size_bytes_, 0);
        wipe_on_close_ = other.wipe_on_close_;
    }
    return *this;
}

SharedRegion::~SharedRegion() {
    close();
}

void SharedRegion::close() {
    if (data_ == nullptr)
        return;
    // Only the creator wipes: whoever attached would pull the indices from under a living peer.
    // When the creator died, the kernel clears the pages before anyone else gets them.
    if (wipe_on_close_)
        wipe(data_, size_bytes_);
    ::munmap(data_, size_bytes_);
    data_ = nullptr;
}

} // namespace adit::ipc

// SPDX-License-Identifier: Apache-2.0
#include "control/pki/trustpoint_set.h"

#include <algorithm>
#include <sys/stat.h>

namespace adit::pki {

TrustpointSet::Stamp TrustpointSet::stamp_of(const std::string& path) {
    struct stat about{};
    if (path.empty() || ::stat(path.c_str(), &about) != 0)
        return {};
    constexpr std::int64_t kSecond = 1'000'000'000;
    return {about.st_mtim.tv_sec * kSecond + about.st_mtim.tv_nsec, about.st_size, about.st_ino};
}

TrustpointSet::Stamps TrustpointSet::stamps_of(const TrustpointFiles& files) {
    return {stamp_of(files.ca_file),
            stamp_of(files.certificate_file),
            stamp_of(files.key_file),
            stamp_of(files.crl_file)};
}

bool TrustpointSet::update(const std::vector<TrustpointFiles>& wanted) {
    bool changed =
        std::erase_if(entries_, [&](const auto& entry) {
            return std::ranges::find(wanted, entry.first, &TrustpointFiles::name) == wanted.end();
        }) != 0;
    for (const TrustpointFiles& files : wanted) {
        Entry& entry = entries_[files.name];
        const Stamps stamps = stamps_of(files);
        const bool same_files = entry.status.files == files;
        if (same_files && entry.stamps == stamps)
            continue;
        changed = true;
        if (!same_files)
            entry.status = {files, nullptr, {}};
        entry.stamps = stamps;
        auto loaded = load(files);
        entry.status.problem = loaded ? std::string{} : loaded.error().text;
        if (loaded)
            entry.status.loaded = std::move(*loaded);
    }
    return changed;
}

std::vector<TrustpointStatus> TrustpointSet::status() const {
    std::vector<TrustpointStatus> all;
    for (const auto& [name, entry] : entries_)
        all.push_back(entry.status);
    return all;
}

ike::Credentials TrustpointSet::credentials(std::function<WallTime()> clock) const {
    std::vector<std::shared_ptr<const Trustpoint>> loaded;
    for (const auto& [name, entry] : entries_)
        if (entry.status.loaded != nullptr)
            loaded.push_back(entry.status.loaded);
    return credentials_of(loaded, std::move(clock));
}

} // namespace adit::pki

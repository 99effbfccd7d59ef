// SPDX-License-Identifier: Apache-2.0
// The startup configuration on disk. The file holds pre-shared keys: it is written with mode 0600
// and replaced in one step, so that a crash leaves either the old text or the new one.
//
// Threading: blocking file I/O; called at start-up and by `write memory`.
#pragma once

#include "common/error.h"

#include <string>
#include <string_view>

namespace adit::config {

/// The whole text. NotFound when there is no such file; Exhausted beyond kMaxConfigBytes.
Result<std::string> load_text(const std::string& path);

Status save_text(const std::string& path, std::string_view text);

} // namespace adit::config

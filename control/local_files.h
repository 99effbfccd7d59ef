// SPDX-License-Identifier: Apache-2.0
// The folder of the startup configuration, which operators know as flash:. Files that they write
// hold secrets and are for their owner alone.
//
// Threading: blocking file I/O of small files. Errors: texts for the operator.
#pragma once

#include "common/error.h"
#include "control/cli/machine.h"

#include <filesystem>
#include <string>

namespace adit {

class LocalFiles {
  public:
    explicit LocalFiles(const std::string& startup_path);

    /// Invalid for names that lead elsewhere.
    [[nodiscard]] Result<std::string> read(const std::string& name) const;
    /// Conflict for the startup configuration itself, which has its own command.
    [[nodiscard]] Status write(const std::string& name, const std::string& text) const;
    /// Files here, with disk and memory.
    [[nodiscard]] cli::Machine machine() const;

  private:
    [[nodiscard]] Result<std::string> path_of(const std::string& name) const;

    std::filesystem::path folder_;
    std::string startup_name_;
};

} // namespace adit

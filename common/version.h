// SPDX-License-Identifier: Apache-2.0
// The version that all programs print; meson.build holds it.
#pragma once

namespace adit {

inline constexpr const char* kVersion = ADIT_VERSION;

} // namespace adit

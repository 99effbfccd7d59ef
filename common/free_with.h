// SPDX-License-Identifier: Apache-2.0
// Deleter that calls a C library's own function: std::unique_ptr<BIO, FreeWith<BIO_free_all>>.
#pragma once

namespace adit {

template <auto function> struct FreeWith {
    template <class T> void operator()(T* object) const { function(object); }
};

} // namespace adit

// SPDX-License-Identifier: Apache-2.0
// The self-test at start: every algorithm, both directions, alone and in company (a lone job and a
// full set of lanes take different paths through the library), against answers made by others.
#pragma once

#include "common/algorithms.h"
#include "common/error.h"

#include <span>

namespace adit::dataplane {

class CryptoMb;

/// In hex, as the sources print them.
struct CipherAnswer {
    EspCipher cipher;
    const char* name;
    const char* key;
    const char* iv;
    const char* aad;
    const char* plaintext;
    const char* ciphertext;
    const char* tag; // GCM
};

/// Of "Hi There" under a key of 0x0b octets.
struct MacAnswer {
    EspMac mac;
    const char* name;
    const char* tag; // cut to the ICV's length
};

struct KnownAnswers {
    std::span<const CipherAnswer> ciphers;
    std::span<const MacAnswer> macs;
};

/// Of every algorithm that an SA can have.
KnownAnswers known_answers();

/// Names the algorithm that gave a wrong answer. Called by CryptoMb::create.
Status run_known_answers(CryptoMb& crypto, const KnownAnswers& answers);

} // namespace adit::dataplane

// SPDX-License-Identifier: Apache-2.0
// Question: how many times a second can one core do what a main mode needs of Diffie-Hellman, with
// OpenSSL and nothing around it? That is one pair of keys and one shared secret; a quick mode
// without PFS needs none.
//
//   dh-limit [MILLISECONDS]
//
// The bare calls: a power of the generator and a power of the peer's value for MODP-2048, with the
// exponents of 256 bits that the short-exponent rule asks for (RFC 3526 8), in constant time;
// multiples of the generator and of the peer's point for ECP-256. EVP adds checks to them. Prints
// one JSON line, in times a second of CPU time, for each group.
#include "common/free_with.h"
#include "perf/harness.h"

#include <cstdlib>
#include <memory>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/obj_mac.h>

namespace adit::perf {

namespace {

constexpr int kExponentBits = 256;

using Number = std::unique_ptr<BIGNUM, FreeWith<BN_clear_free>>;
using Scratch = std::unique_ptr<BN_CTX, FreeWith<BN_CTX_free>>;
using Reduction = std::unique_ptr<BN_MONT_CTX, FreeWith<BN_MONT_CTX_free>>;
using Curve = std::unique_ptr<EC_GROUP, FreeWith<EC_GROUP_free>>;
using Point = std::unique_ptr<EC_POINT, FreeWith<EC_POINT_free>>;

double cpu_seconds() {
    timespec now{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

/// Times a second.
template <class Work> double rate(double seconds, const Work& work) {
    work();
    const double start = cpu_seconds();
    double end = start;
    double times = 0;
    for (; end - start < seconds; end = cpu_seconds(), ++times)
        work();
    return times / (end - start);
}

Number random_number(int bits) {
    Number number{BN_secure_new()};
    if (BN_priv_rand(number.get(), bits, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) != 1)
        die("dh-limit: no random numbers");
    BN_set_flags(number.get(), BN_FLG_CONSTTIME);
    return number;
}

double modp_rate(double seconds) {
    const Number prime{BN_get_rfc3526_prime_2048(nullptr)};
    const Scratch scratch{BN_CTX_new()};
    const Reduction reduction{BN_MONT_CTX_new()};
    const Number generator{BN_new()};
    const Number theirs{BN_new()};
    const Number result{BN_new()};
    BN_set_word(generator.get(), 2);
    BN_MONT_CTX_set(reduction.get(), prime.get(), scratch.get());
    const auto power = [&](BIGNUM* to, const BIGNUM* base, const BIGNUM* exponent) {
        BN_mod_exp_mont_consttime(to, base, exponent, prime.get(), scratch.get(), reduction.get());
    };
    power(theirs.get(), generator.get(), random_number(kExponentBits).get());
    return rate(seconds, [&] {
        const Number secret = random_number(kExponentBits);
        power(result.get(), generator.get(), secret.get());
        power(result.get(), theirs.get(), secret.get());
    });
}

double ecp_rate(double seconds) {
    const Curve curve{EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1)};
    const Scratch scratch{BN_CTX_new()};
    const Point theirs{EC_POINT_new(curve.get())};
    const Point result{EC_POINT_new(curve.get())};
    const Number x{BN_new()};
    const Number y{BN_new()};
    const auto multiply = [&](EC_POINT* to, const BIGNUM* ours, const EC_POINT* of) {
        const bool generator = of == nullptr;
        EC_POINT_mul(curve.get(),
                     to,
                     generator ? ours : nullptr,
                     of,
                     generator ? nullptr : ours,
                     scratch.get());
        EC_POINT_get_affine_coordinates(curve.get(), to, x.get(), y.get(), scratch.get());
    };
    // Half a bit short of the order does for a benchmark.
    multiply(theirs.get(), random_number(kExponentBits - 1).get(), nullptr);
    return rate(seconds, [&] {
        const Number secret = random_number(kExponentBits - 1);
        multiply(result.get(), secret.get(), nullptr);
        multiply(result.get(), secret.get(), theirs.get());
    });
}

} // namespace

} // namespace adit::perf

int main(int argc, char** argv) {
    constexpr double kDefaultMs = 500;
    const double seconds = (argc > 1 ? std::atof(argv[1]) : kDefaultMs) / 1000;
    std::printf("{\"modp2048\":%.0f,\"ecp256\":%.0f}\n",
                adit::perf::modp_rate(seconds),
                adit::perf::ecp_rate(seconds));
}

// SPDX-License-Identifier: Apache-2.0
#include "control/pki/openssl.h"

#include "control/ike/distinguished_name.h"

#include <openssl/err.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <ctime>

namespace adit::pki {

Certificate share(X509* certificate) {
    ENSURE(X509_up_ref(certificate) == 1);
    return Certificate{certificate};
}

Result<Certificate> certificate_of_der(ByteView der) {
    const unsigned char* at = der.data();
    Certificate certificate{d2i_X509(nullptr, &at, static_cast<long>(der.size()))};
    if (certificate == nullptr)
        return fail(ErrorCode::Malformed, "not an X.509 certificate (" + library_error() + ")");
    if (at != der.data() + der.size())
        return fail(ErrorCode::Malformed, "octets behind the certificate");
    return certificate;
}

namespace {

/// i2d_ functions of OpenSSL 3.0 that take const objects.
template <auto encode, class T> Bytes encoded(const T* object) {
    const int length = encode(object, nullptr);
    ENSURE(length > 0);
    Bytes der(static_cast<std::size_t>(length));
    unsigned char* at = der.data();
    ENSURE(encode(object, &at) == length);
    return der;
}

} // namespace

Bytes der_of(const X509* certificate) {
    return encoded<i2d_X509>(certificate);
}

Bytes der_of(const X509_NAME* name) {
    return encoded<i2d_X509_NAME>(name);
}

std::vector<std::string> rdns_of(const X509_NAME* name) {
    return ike::name_attributes(der_of(name)).value_or(std::vector<std::string>{"?"});
}

std::string text_of(const X509_NAME* name) {
    return ike::name_text(der_of(name)).value_or("?");
}

std::string time_text(const ASN1_TIME* time) {
    std::tm parts{};
    if (ASN1_TIME_to_tm(time, &parts) != 1)
        return "?";
    std::array<char, 64> text{};
    // No locale is set in this process: month names are those of the C locale.
    const std::size_t length = std::strftime(text.data(), text.size(), "%H:%M:%S UTC %b ", &parts);
    return std::string{text.data(), length} + std::to_string(parts.tm_mday) + " " +
           std::to_string(parts.tm_year + 1900);
}

std::string serial_text(const ASN1_INTEGER* serial) {
    constexpr std::size_t kMaxSerialBytes = 20; // RFC 5280 4.1.2.2
    const ByteView octets{ASN1_STRING_get0_data(serial),
                          static_cast<std::size_t>(ASN1_STRING_length(serial))};
    std::string hex = to_hex(octets.first(std::min(octets.size(), kMaxSerialBytes)));
    for (char& c : hex)
        c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return hex;
}

std::string library_error() {
    const unsigned long code = ERR_get_error();
    ERR_clear_error();
    const char* reason = ERR_reason_error_string(code);
    return reason == nullptr ? "no reason given" : reason;
}

} // namespace adit::pki

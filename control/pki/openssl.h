// SPDX-License-Identifier: Apache-2.0
// OpenSSL's X.509 objects as owned values. Only the sources of control/pki include this.
//
// Threading: as the objects: read from any thread, changed by none once built.
#pragma once

#include "common/bytes.h"
#include "common/error.h"
#include "common/free_with.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pkcs7.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>
#include <vector>

namespace adit::pki {

using Bio = std::unique_ptr<BIO, FreeWith<BIO_free_all>>;
using Certificate = std::unique_ptr<X509, FreeWith<X509_free>>;
using Crl = std::unique_ptr<X509_CRL, FreeWith<X509_CRL_free>>;
using Name = std::unique_ptr<X509_NAME, FreeWith<X509_NAME_free>>;
using Key = std::unique_ptr<EVP_PKEY, FreeWith<EVP_PKEY_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, FreeWith<EVP_PKEY_CTX_free>>;
using EcdsaSignature = std::unique_ptr<ECDSA_SIG, FreeWith<ECDSA_SIG_free>>;
using Pkcs7 = std::unique_ptr<PKCS7, FreeWith<PKCS7_free>>;
using Store = std::unique_ptr<X509_STORE, FreeWith<X509_STORE_free>>;
using StoreContext = std::unique_ptr<X509_STORE_CTX, FreeWith<X509_STORE_CTX_free>>;

/// Borrows its elements.
struct FreeStack {
    void operator()(STACK_OF(X509) * stack) const { sk_X509_free(stack); }
};

using CertificateStack = std::unique_ptr<STACK_OF(X509), FreeStack>;

Certificate share(X509* certificate);

/// One certificate, the whole of `der` and nothing behind it.
Result<Certificate> certificate_of_der(ByteView der);
Bytes der_of(const X509* certificate);
Bytes der_of(const X509_NAME* name);

/// "cn=gw.example.com,o=Example": one line, safe to log whatever the peer sent.
std::string text_of(const X509_NAME* name);
/// Its parts, the most specific first: "cn=gw.example.com", "o=Example".
std::vector<std::string> rdns_of(const X509_NAME* name);
/// "09:17:52 UTC Jun 22 2022", as a router prints it.
std::string time_text(const ASN1_TIME* time);
/// "61BF09D3": upper-case hex.
std::string serial_text(const ASN1_INTEGER* serial);

/// The first word OpenSSL has about its last failure; empties its list.
std::string library_error();

} // namespace adit::pki

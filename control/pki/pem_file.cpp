// SPDX-License-Identifier: Apache-2.0
#include "control/pki/pem_file.h"

#include "common/secret.h"
#include "common/unique_fd.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace adit::pki {

namespace {

std::unexpected<Error> wrong(const std::string& path, const std::string& what) {
    return fail(ErrorCode::Malformed, path + ": " + what);
}

/// The whole file, into memory that is wiped: it may be a private key.
Result<SecretBuffer> read_file(const std::string& path) {
    // Without blocking: the name may be that of a pipe.
    const UniqueFd fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    if (!fd.valid())
        return fail_errno(path);
    struct stat about{};
    if (::fstat(fd.get(), &about) != 0)
        return fail_errno(path);
    if (!S_ISREG(about.st_mode))
        return wrong(path, "is no file");
    if (about.st_size <= 0 || static_cast<std::uint64_t>(about.st_size) > kMaxFileBytes)
        return wrong(path, about.st_size <= 0 ? "is empty" : "is larger than 4 MB");
    SecretBuffer text{static_cast<std::size_t>(about.st_size)};
    std::size_t filled = 0;
    while (filled < text.size()) {
        const ssize_t got = ::read(fd.get(), text.writable().data() + filled, text.size() - filled);
        if (got <= 0)
            return got < 0 ? fail_errno(path) : wrong(path, "became shorter while it was read");
        filled += static_cast<std::size_t>(got);
    }
    return text;
}

Bio reader_of(const SecretBuffer& text) {
    Bio bio{BIO_new_mem_buf(text.view().data(), static_cast<int>(text.size()))};
    ENSURE(bio != nullptr);
    return bio;
}

/// OpenSSL asks at the terminal unless told otherwise.
int no_pass_phrase(char*, int, int, void*) {
    return -1;
}

/// PEM reading ends with "no start line": that is the end of the file, all else is damage.
bool at_end() {
    const unsigned long code = ERR_peek_last_error();
    return ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE;
}

template <class Owner, class Read>
Result<std::vector<Owner>>
read_all(const std::string& path, const char* what, std::size_t most, Read read) {
    const SecretBuffer text = TRY(read_file(path));
    const Bio bio = reader_of(text);
    std::vector<Owner> all;
    ERR_clear_error();
    while (Owner one{read(bio.get())}) {
        if (all.size() == most)
            return wrong(path, "holds more than " + std::to_string(most) + " of them");
        all.push_back(std::move(one));
    }
    const bool whole = at_end();
    const std::string reason = library_error();
    if (!whole)
        return wrong(path,
                     std::string{what} + " number " + std::to_string(all.size() + 1) +
                         " is damaged (" + reason + ")");
    if (all.empty())
        return wrong(path, std::string{"holds no "} + what + " in PEM form");
    return all;
}

/// Nothing when the file is not DER.
Crl read_der_crl(const SecretBuffer& text) {
    const unsigned char* at = text.view().data();
    Crl crl{d2i_X509_CRL(nullptr, &at, static_cast<long>(text.size()))};
    ERR_clear_error();
    return at == text.view().data() + text.size() ? std::move(crl) : nullptr;
}

} // namespace

Result<std::vector<Certificate>> read_certificates(const std::string& path) {
    return read_all<Certificate>(path, "certificate", kMaxCertificatesInFile, [](BIO* bio) {
        return PEM_read_bio_X509(bio, nullptr, no_pass_phrase, nullptr);
    });
}

Result<Key> read_private_key(const std::string& path) {
    const SecretBuffer text = TRY(read_file(path));
    const Bio bio = reader_of(text);
    ERR_clear_error();
    Key key{PEM_read_bio_PrivateKey(bio.get(), nullptr, no_pass_phrase, nullptr)};
    const std::string reason = library_error();
    if (key != nullptr)
        return key;
    return wrong(path,
                 "holds no private key in PEM form, or one that is damaged or sealed with a pass "
                 "phrase (" +
                     reason + ")");
}

Result<std::vector<Crl>> read_crls(const std::string& path) {
    const SecretBuffer text = TRY(read_file(path));
    if (Crl crl = read_der_crl(text)) {
        std::vector<Crl> one;
        one.push_back(std::move(crl));
        return one;
    }
    return read_all<Crl>(path, "CRL", kMaxCrlsInFile, [](BIO* bio) {
        return PEM_read_bio_X509_CRL(bio, nullptr, no_pass_phrase, nullptr);
    });
}

} // namespace adit::pki

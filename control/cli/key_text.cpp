// SPDX-License-Identifier: Apache-2.0
#include "control/cli/key_text.h"

#include <algorithm>

namespace adit::cli {

namespace {

std::string owner_of(const config::IsakmpKey& key) {
    return key.hostname.empty() ? to_string(key.address) : key.hostname;
}

/// "6" right in front of the key.
bool is_sealed(const Match& match, const Word* key) {
    const auto words = match.words();
    const auto place =
        std::find_if(words.begin(), words.end(), [&](const Word& word) { return &word == key; });
    return place != words.begin() && std::prev(place)->kind == ArgKind::Keyword &&
           std::prev(place)->text == "6";
}

} // namespace

Result<std::shared_ptr<const SecretBuffer>> key_of(const Match& match, std::size_t nth) {
    const Word* word = match.argument(ArgKind::Name, nth);
    if (word == nullptr)
        return fail(ErrorCode::Invalid, "The key is missing");
    if (is_sealed(match, word))
        return fail(ErrorCode::Unsupported,
                    "A key of type 6 is sealed with the master key of the router it comes from; "
                    "write it in clear (type 0)");
    if (word->text == "<hidden>")
        return fail(ErrorCode::Invalid,
                    "This key was hidden when the text was printed; write the key itself");
    return std::make_shared<const SecretBuffer>(as_bytes(word->text));
}

Result<Ipv4Prefix> key_prefix(const Match& match) {
    const Ipv4Address mask =
        match.argument(ArgKind::Mask) == nullptr ? Ipv4Address{~0U} : match.address(ArgKind::Mask);
    return Ipv4Prefix{Ipv4Address{match.address().value & mask.value}, TRY(mask_length(mask))};
}

ike::SelfIdentity self_identity_of(const Match& match) {
    using ike::IdType;
    IdType type = IdType::Ipv4Address;
    if (match.has("hostname") || match.has("fqdn"))
        type = IdType::Fqdn;
    else if (match.has("user-fqdn"))
        type = IdType::UserFqdn;
    else if (match.has("key-id"))
        type = IdType::KeyId;
    else if (match.has("dn"))
        type = IdType::DerDn;
    return {type, match.text(ArgKind::Name)};
}

Status set_key(config::Editor& editor,
               std::vector<config::IsakmpKey>& keys,
               config::IsakmpKey key,
               Sign sign) {
    const auto known = std::find_if(keys.begin(), keys.end(), [&](const config::IsakmpKey& other) {
        return other.address == key.address && other.hostname == key.hostname;
    });
    if (sign == Sign::No) {
        if (known != keys.end())
            keys.erase(known);
        return {};
    }
    editor.define("key " + owner_of(key));
    if (known == keys.end()) {
        keys.push_back(std::move(key));
        return {};
    }
    if (!(*known->key == *key.key))
        editor.warn("this replaces another key for " + owner_of(key));
    *known = std::move(key);
    return {};
}

} // namespace adit::cli

// SPDX-License-Identifier: Apache-2.0
// What is offered and what is chosen, in both phases. An offer is a transform with its attributes
// decoded; anything in it that we do not know, or that stands there twice, makes it unacceptable,
// never ignored: a group prime or a key length we overlooked would change what is agreed.
//
// Threading: pure functions. Errors: a chosen-from payload that is malformed is the parser's
// business; here everything ends in a choice, or in words for both sides' values.
// Source: RFC 2408 4.2, RFC 2409 5 and appendix A, RFC 2407 4.5.
#pragma once

#include "common/address.h"
#include "control/ike/constants.h"
#include "control/ike/interface.h"
#include "control/ike/payload_sa.h"

#include <expected>
#include <optional>
#include <string>
#include <vector>

namespace adit::ike {

// --- phase 1 ------------------------------------------------------------------------------------

struct Phase1Offer {
    std::optional<IkeEncryption> encryption;
    std::uint32_t key_bits{}; // 0: attribute left out
    std::optional<IkeHash> hash;
    std::optional<AuthMethod> method;
    std::optional<Group> group;
    std::optional<Duration> lifetime;
};

/// Unsupported or Malformed names the attribute at fault.
Result<Phase1Offer> decode_phase1(const TransformView& transform);

/// Null when the policy is what the offer says; else the first attribute that differs, in the
/// words of `debug crypto isakmp`.
const char* mismatch(const Phase1Offer& offer, const Phase1Policy& policy);

/// "AES-CBC-256/SHA2-256/MODP-2048/PSK".
std::string describe(const Phase1Offer& offer);
std::string describe(const Phase1Policy& policy);

struct Phase1Choice {
    Phase1Policy policy; // lifetime: the shorter of both
    std::uint8_t proposal_number{};
    TransformOut transform; // goes back as it came
};

/// As responder: our first policy that any of their transforms meets.
std::optional<Phase1Choice> choose_phase1(const SaView& offer,
                                          const std::vector<Phase1Policy>& policies);

/// As initiator: which policy the answer agrees to. Denied when it is none of ours, or more than
/// one, or altered.
Result<Phase1Policy> accept_phase1(const SaView& answer, const std::vector<Phase1Policy>& policies);

/// Body of the SA payload that offers all policies.
/// The wire's name of what a policy asks for.
AuthMethod method_of(const Phase1Policy& policy);

Bytes offer_phase1(const std::vector<Phase1Policy>& policies);
Bytes answer_phase1(const Phase1Choice& choice);

/// Every transform offered, for the log: "AES-CBC-128/SHA/..., 3DES-CBC/...".
std::string describe_phase1(const SaView& offer);
std::string describe(const std::vector<Phase1Policy>& policies);

// --- phase 2 ------------------------------------------------------------------------------------

/// How NAT traversal was agreed; decides the payload and mode numbers used.
enum class NatVersion : std::uint8_t { None, Draft02, Rfc3947 };

struct Phase2Offer {
    EspTransform transform{};
    std::uint32_t key_bits{};
    std::optional<IpsecAuthAlgorithm> authentication;
    std::optional<EncapsulationMode> mode;
    std::optional<Group> group;
    std::optional<Duration> lifetime;
    std::optional<std::uint64_t> kilobytes;
    bool esn{false};
};

Result<Phase2Offer> decode_phase2(const TransformView& transform);
std::string describe(const Phase2Offer& offer);

/// What we would agree to.
struct Phase2Terms {
    std::vector<Phase2Transform> transforms; // in order of preference
    std::optional<Group> pfs;
    Duration lifetime;
    std::uint64_t kilobytes{};
    NatVersion encapsulation{NatVersion::None}; // None: native ESP
};

enum class Phase2Mismatch : std::uint8_t { None, Transform, Mode, Group };

/// What of `ours` the offer does not meet.
Phase2Mismatch
mismatch(const Phase2Offer& offer, const Phase2Transform& ours, const Phase2Terms& terms);

struct Phase2Choice {
    Phase2Transform algorithms;
    Spi spi; // the peer's
    std::optional<Group> pfs;
    Duration lifetime;
    std::uint64_t kilobytes{};
    bool seconds_shortened{false};   // ours are fewer than offered
    bool kilobytes_shortened{false}; // so RESPONDER-LIFETIME is due
    std::uint8_t proposal_number{};
    TransformOut transform;
};

/// As responder. The error says whether algorithms or the PFS group kept everything out.
struct Phase2Refusal {
    bool group_at_fault{false};
};

std::expected<Phase2Choice, Phase2Refusal> choose_phase2(const SaView& offer,
                                                         const Phase2Terms& terms);

/// As initiator: what the answer agrees to; Denied when it is not exactly one of our transforms.
Result<Phase2Choice> accept_phase2(const SaView& answer, const Phase2Terms& terms);

/// Whether the peer wants transport mode and nothing else.
bool offers_only_transport(const SaView& offer);

Bytes offer_phase2(const Phase2Terms& terms, Spi spi);
Bytes answer_phase2(const Phase2Choice& choice, Spi spi);

std::string describe_phase2(const SaView& offer);
std::string describe(const Phase2Terms& terms);

} // namespace adit::ike

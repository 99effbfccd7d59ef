// SPDX-License-Identifier: Apache-2.0
// The one table of what may happen in which state. Anything without a row is refused, counted and
// named: deny by default. The payload sets are checked before a handler runs.
//
// Threading: constant data. Source: RFC 2409 5.4, 5.5, 5.7; RFC 3706 5; RFC 3947 3.2.
#pragma once

#include "control/ike/constants.h"
#include "control/ike/interface.h"
#include "control/ike/state.h"

#include <cstdint>
#include <expected>
#include <functional>
#include <initializer_list>
#include <span>
#include <string>

namespace adit::ike {

/// Payload types as a set. Types without a place of their own share the last bit, which no row
/// allows.
class PayloadSet {
  public:
    constexpr PayloadSet() = default;

    constexpr PayloadSet(std::initializer_list<PayloadType> types) {
        for (const PayloadType type : types)
            insert(type);
    }

    constexpr void insert(PayloadType type) { bits_ |= std::uint64_t{1} << place(type); }

    [[nodiscard]] constexpr bool contains(PayloadType type) const {
        return (bits_ >> place(type) & 1) != 0;
    }

    [[nodiscard]] constexpr bool contains(PayloadSet other) const {
        return (other.bits_ & ~bits_) == 0;
    }

    [[nodiscard]] constexpr bool overlaps(PayloadSet other) const {
        return (other.bits_ & bits_) != 0;
    }

    [[nodiscard]] constexpr PayloadSet operator|(PayloadSet other) const {
        PayloadSet both;
        both.bits_ = bits_ | other.bits_;
        return both;
    }

    friend constexpr bool operator==(PayloadSet, PayloadSet) = default;

  private:
    static constexpr unsigned place(PayloadType type) {
        const unsigned number = to_wire(type);
        constexpr unsigned kDense = 32;
        constexpr unsigned kPrivate = 128;
        constexpr unsigned kShared = 63;
        if (number < kDense)
            return number;
        if (number >= kPrivate && number < kPrivate + 8)
            return kDense + (number - kPrivate);
        return kShared;
    }

    std::uint64_t bits_{0};
};

enum class Happening : std::uint8_t {
    Start,    // we want to; without PFS
    StartPfs, // we want to; our key pair comes first
    Received,
    ReceivedCommit, // with the commit bit; rows for Received serve too
    DhDone,
    DhDoneCommit, // the message that led here had the commit bit
    Connected,    // RFC 2408 3.1: the peer's word that it is ready
    Signed,
    Judged,
    Timeout,
    StartPush, // a client is given what it did not ask for
    Granted,   // the password is right
    Denied,    // it is wrong, and another one may be tried
    Barred,    // it is wrong, and that was the last one
};

enum class Protection : std::uint8_t {
    Clear,
    Encrypted,
    Either, // RFC 2409 5.4 prints the last message of aggressive mode in the clear; most encrypt it
};

/// How the peers prove who they are. A session's is that of its agreed policy, so that a message
/// can neither choose nor leave out what proves it (SECURITY A2).
enum class Proof : std::uint8_t { Any, Hash, Signature };

struct Turn;    // step.h: one run of one handler
struct Refusal; // step.h: why it came to nothing
using Verdict = std::expected<void, Refusal>;
using Handler = Verdict (*)(Turn&);

struct Row {
    ExchangeType exchange;
    Role role;
    State state;
    Happening event;
    PayloadSet required;
    PayloadSet optional;
    Protection protection;
    Handler handler;
    const char* handler_name; // for the drawing
    State next;
    TimerRule timer;
    Proof proof = Proof::Any; // of the sessions it is for
};

std::span<const Row> transitions();

/// The row for a message with these payloads, or for another happening. Null: refused.
const Row* find_row(ExchangeType exchange,
                    Role role,
                    State state,
                    Happening event,
                    Proof agreed,
                    PayloadSet present = {});

/// Told of each row that has run to its end.
using RowObserver = std::function<void(const Row&)>;

/// The table as a drawing: docs/ikev1-states.dot.
std::string render_dot();

} // namespace adit::ike

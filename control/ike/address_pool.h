// SPDX-License-Identifier: Apache-2.0
// Addresses lent to remote-access clients: `ip local pool NAME FIRST LAST`. A lease belongs to a
// user and to whatever holds it (the ISAKMP SA it was made under, the child SAs made with it, the
// ISAKMP SA that replaces that one); when nobody holds it any more the address is free. So a lease
// can neither be lost nor outlive its use.
//
// Threading: belongs to its engine. Errors: NotFound for a pool nobody defined, Exhausted when all
// of its addresses are lent.
#pragma once

#include "common/address.h"
#include "common/error.h"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace adit::ike {

/// A run of addresses; bounded so that a slip of the finger does not lend out a continent.
struct AddressRange {
    Ipv4Address first, last;

    friend bool operator==(const AddressRange&, const AddressRange&) = default;
};

inline constexpr std::uint32_t kMaxPoolAddresses = 65'536;

/// An address in use.
struct AddressLease {
    Ipv4Address address;
    std::string pool;
    std::string group;
    std::string user;
    std::string device; // of several devices of one user: which
};

using AddressLeasePtr = std::shared_ptr<const AddressLease>;

/// One line of `show ip local pool`.
struct PoolView {
    std::string name;
    AddressRange range;
    std::uint32_t in_use{};
    std::uint64_t exhausted{}; // how often nothing was left
};

class AddressPools {
  public:
    /// Pools as configured. What is lent stays lent, also of a pool that went away.
    void configure(const std::map<std::string, AddressRange>& pools);

    struct Wish {
        std::string pool;
        std::string group;
        std::string user;
        std::string device;
        std::optional<Ipv4Address> address; // that the client had before, as it says
    };

    /// A lease that this user's device has, or that the user asks for by its address, is the
    /// answer again: a client that proves itself anew keeps its address. Else the address the user
    /// had before when it is free, else one that nobody had, else the one unused longest.
    Result<AddressLeasePtr> lend(const Wish& wish);

    /// A lease that was made before this engine. Whoever asks for the same one shares it.
    AddressLeasePtr resume(const AddressLease& lease);

    [[nodiscard]] std::vector<PoolView> view() const;
    [[nodiscard]] std::vector<AddressLeasePtr> leases() const;

  private:
    struct Pool {
        AddressRange range;
        std::vector<std::weak_ptr<const AddressLease>> lent; // by offset
        std::uint32_t next{0}; // where the search for a free one begins
        std::unordered_map<std::string, std::uint32_t> last_of_user; // at most one per address
        std::unordered_map<std::uint32_t, std::string> user_of;
        std::uint64_t exhausted{0};
    };

    static AddressLeasePtr held(const Pool& pool, const Wish& wish);
    static std::optional<std::uint32_t> choose(const Pool& pool, const std::string& user);
    static AddressLeasePtr take(Pool& pool, std::uint32_t offset, const Wish& wish);

    std::map<std::string, Pool> pools_;
};

} // namespace adit::ike

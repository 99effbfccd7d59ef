// SPDX-License-Identifier: Apache-2.0
// The SAs of one worker. Inbound: the SPI names the slot, so a look-up is one array access and one
// compare of the full SPI, with one SA or a million. Outbound: a policy names its current SA;
// installing another one for the same policy replaces it between two bursts, and the old one stays
// until removed.
//
// SAs outlive the control that installed them. From forget_control() on each is in doubt, until the
// next control adopts it; remove_doubtful() ends those that it did not.
//
// Commands come from control, which is treated as hostile: every field of a record is checked
// before anything is changed, and a refusal names the offset of the field at fault.
//
// Memory: address space for `max_sas` slots per direction is reserved at start; pages come into
// being when a slot is first used, so a million slots cost nothing until they are. The region is
// kept out of core dumps and out of children. A process that locks its memory must use MCL_ONFAULT.
//
// Threading: the owning worker only, between bursts.
#pragma once

#include "common/error.h"
#include "common/ipc/records.h"
#include "common/ipc/stats.h"
#include "common/spi.h"
#include "dataplane/policy_owners.h"
#include "dataplane/sa.h"

#include <vector>

namespace adit::dataplane {

class CryptoMb;

/// Where counters go: the page that control reads. `inbound` and `outbound` have max_sas cells,
/// `policies` max_policies; all of them outlive the table.
struct StatsPages {
    ipc::SaStats* inbound;
    ipc::SaStats* outbound;
    ipc::PolicyStats* policies;
};

struct SaTableConfig {
    WorkerId worker;
    std::uint32_t max_sas;      // slots per direction, 1..kMaxSaSlots
    std::uint32_t max_policies; // PolicyId < this
    StatsPages stats;
    PolicyOwners* owners{nullptr}; // told which policies have an SA here; null: nobody asks
};

/// Goes into the Ack. `detail` is the offset in the record of the field at fault, else 0.
struct CommandOutcome {
    ipc::AckResult result{ipc::AckResult::Ok};
    std::uint32_t detail{0};

    [[nodiscard]] bool ok() const { return result == ipc::AckResult::Ok; }
};

class SaTable {
  public:
    /// Reserves address space. `crypto` expands the keys and must outlive the table.
    static Result<SaTable> create(const SaTableConfig& config, CryptoMb& crypto);

    SaTable(SaTable&&) noexcept;
    SaTable& operator=(SaTable&&) = delete;
    SaTable(const SaTable&) = delete;
    SaTable& operator=(const SaTable&) = delete;
    /// Wipes every key still there.
    ~SaTable();

    [[nodiscard]] CommandOutcome install(const ipc::InstallSa& command);
    [[nodiscard]] CommandOutcome remove(const ipc::RemoveSa& command);

    /// Ok's detail says which limits have been reported (ipc::AdoptedState).
    [[nodiscard]] CommandOutcome adopt(const ipc::AdoptSa& command);
    /// Control is gone: what is installed now waits to be adopted.
    void forget_control();
    void remove_doubtful();

    /// nullptr when no SA of this worker has exactly this SPI.
    [[nodiscard]] InboundSa* find_inbound(Spi spi) const {
        const std::uint32_t slot = spi_slot(spi);
        // Slots never used stay untouched, whatever strangers send.
        if (slot >= inbound_end_ || spi.value < kFirstSpi)
            return nullptr;
        InboundSa* sa = inbound_ + slot;
        return sa->spi == spi.value ? sa : nullptr;
    }

    /// Where find_inbound will look; for prefetching.
    [[nodiscard]] const void* inbound_line(Spi spi) const {
        const std::uint32_t slot = spi_slot(spi);
        return inbound_ + (slot < inbound_end_ ? slot : 0);
    }

    /// The SA that packets of this policy leave by; nullptr when there is none (yet).
    [[nodiscard]] OutboundSa* outbound_for_policy(std::uint32_t policy) const {
        return policy < config_.max_policies ? current_[policy] : nullptr;
    }

    /// Where outbound_for_policy will look; for prefetching.
    [[nodiscard]] const void* outbound_place(std::uint32_t policy) const {
        return current_ + (policy < config_.max_policies ? policy : 0);
    }

    /// Writes the counters of the next `most` SAs a direction to the page that control reads, going
    /// round: what packets count lies in their SA, so that they need no further line. Rare things
    /// are counted in the page at once. `now_ns` is what control learns as the time of the last
    /// packet.
    void publish(std::uint32_t most, std::uint64_t now_ns);

    /// The cells where the rare things are counted.
    [[nodiscard]] ipc::SaStats& stats_of(const InboundSa& sa) const {
        return config_.stats.inbound[&sa - inbound_];
    }

    [[nodiscard]] ipc::SaStats& stats_of(const OutboundSa& sa) const {
        return config_.stats.outbound[&sa - outbound_];
    }

    [[nodiscard]] ipc::PolicyStats& stats_of_policy(std::uint32_t policy) const {
        return config_.stats.policies[policy];
    }

    /// SAs of both directions now installed.
    [[nodiscard]] std::uint32_t size() const { return size_; }

    static constexpr std::uint32_t kFirstSpi = 256; // RFC 4303 2.1: 0..255 are reserved

  private:
    SaTable(const SaTableConfig& config, CryptoMb& crypto) : config_(config), crypto_(&crypto) {}

    CommandOutcome install_inbound(const ipc::InstallSa& command);
    CommandOutcome install_outbound(const ipc::InstallSa& command);
    void install_keys(const ipc::InstallSa& command,
                      EspCipher cipher,
                      EspMac mac,
                      std::uint8_t* salt,
                      KeyBlock& keys);
    template <class Command, class Sa>
    [[nodiscard]] CommandOutcome check_there(const Command& command,
                                             const Sa* sas,
                                             const std::vector<std::uint64_t>& used) const;
    CommandOutcome remove_inbound(const ipc::RemoveSa& command);
    CommandOutcome remove_outbound(const ipc::RemoveSa& command);
    CommandOutcome adopt_inbound(const ipc::AdoptSa& command);
    CommandOutcome adopt_outbound(const ipc::AdoptSa& command);
    template <class Sa>
    void
    remove_doubtful(ipc::Direction direction, const Sa* sas, std::vector<std::uint64_t>& doubtful);
    void publish(const InboundSa& sa) const;
    void publish(OutboundSa& sa) const;

    /// Where publishing goes on: a direction's slots in use, one word of 64 after the other.
    struct Round {
        std::size_t word{0};
        std::uint64_t left{0}; // slots of this word still to be visited
    };

    template <class Sa> void fetch_counted(const Sa& sa) const;
    template <class Sa>
    void publish_next(Sa* sas,
                      const std::vector<std::uint64_t>& used,
                      std::uint32_t end,
                      Round& round,
                      std::uint32_t most);

    SaTableConfig config_;
    CryptoMb* crypto_;
    InboundSa* inbound_{nullptr};
    OutboundSa* outbound_{nullptr};
    OutboundSa** current_{nullptr}; // by policy
    // One bit per slot in use, so that wiping and refusing touch no page that was never used.
    std::vector<std::uint64_t> inbound_used_;
    std::vector<std::uint64_t> outbound_used_;
    // Likewise, of those that the control now attached has neither installed nor adopted.
    std::vector<std::uint64_t> inbound_doubtful_;
    std::vector<std::uint64_t> outbound_doubtful_;
    std::uint32_t inbound_end_{0}; // 1 + highest slot ever used
    std::uint32_t outbound_end_{0};
    std::uint32_t size_{0};
    Round inbound_round_;
    Round outbound_round_;
    std::uint64_t published_ns_{0}; // when that was
};

} // namespace adit::dataplane

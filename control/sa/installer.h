// SPDX-License-Identifier: Apache-2.0
// Carries the engine's wish for SAs to the dataplane: makes ring records, gives out slots, pairs
// the Acks, and tells the engine how each installation ended. Keys pass through and are wiped. Both
// SAs of a pair go to the worker that the inbound SPI names.
//
// Threading: control's loop.
#pragma once

#include "control/dataplane_client.h"
#include "control/ike/interface.h"
#include "control/sa/sa_db.h"
#include "control/sa/spi_allocator.h"

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace adit::sa {

class Installer {
  public:
    using Finished = std::function<void(ike::InstallFinished)>;

    Installer(DataplaneClient& dataplane, SaDb& db, Rng& rng, Finished finished);

    /// Workers and slots of each as the attached dataplane has them. SAs of an earlier one are
    /// forgotten.
    void start_over(std::uint32_t workers, std::uint32_t slots);

    /// Instead of start_over(): goes on with the SAs in the database. `engine` are the SPIs that
    /// the engine refers to.
    void resume(std::uint32_t workers,
                std::uint32_t slots,
                const std::vector<std::pair<Spi, PolicyId>>& engine);

    struct Adoption {
        /// The dataplane does not have it; the database forgets it.
        std::function<void(SaId)> missing;
        /// It had reached a limit, maybe without anybody having heard of it.
        std::function<void(SaId, bool hard)> limit_passed;
        /// All have been answered: tables may be published, and not before.
        std::function<void()> done;
    };

    /// The dataplane has lost its control and has one again: all SAs in the database stay there.
    void adopt_all(const Adoption& adoption);

    /// For the engine. Nothing is allocated while no dataplane is attached.
    ike::SpiAllocator& spis() { return spis_; }

    void install(ike::InstallSaAction&& action);
    void remove(const ike::RemoveSaAction& action);

  private:
    /// The engine keeps one allocator for life; behind it stands the attached dataplane's.
    class CurrentSpis final : public ike::SpiAllocator {
      public:
        std::optional<Spi> allocate(PolicyId policy) override {
            return inner ? inner->allocate(policy) : std::nullopt;
        }

        void release(Spi spi) override {
            if (inner)
                inner->release(spi);
        }

        std::unique_ptr<InboundSpis> inner;
    };

    std::optional<std::uint32_t> take_slot(const ike::InstallSaAction& action);
    void on_install_ack(const InstalledSa& sa, ipc::AckResult result, std::uint32_t detail);
    void let_go(const InstalledSa& sa);
    void adopt(const InstalledSa& sa, DataplaneClient::AckCallback on_ack);

    DataplaneClient& dataplane_;
    SaDb& db_;
    Rng& rng_;
    Finished finished_;
    CurrentSpis spis_;
    std::vector<SlotPool> outbound_slots_; // by worker
};

/// What the dataplane's answer means, in words for a log.
std::string describe(ipc::AckResult result, std::uint32_t detail);

} // namespace adit::sa

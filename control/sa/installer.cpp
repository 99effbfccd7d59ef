// SPDX-License-Identifier: Apache-2.0
#include "control/sa/installer.h"

#include "control/provision.h"

#include <algorithm>

namespace adit::sa {

/// Without ESN a sender must stop before 2^32 (RFC 4303 3.3.3): ask for a rekey with an eighth
/// left.
static constexpr std::uint64_t kSoftSequence = 0xE000'0000;

std::string describe(ipc::AckResult result, std::uint32_t detail) {
    switch (result) {
    case ipc::AckResult::Ok:
        return "done";
    case ipc::AckResult::UnknownType:
        return "the dataplane does not know this command";
    case ipc::AckResult::BadValue:
        return "the dataplane refused the value at offset " + std::to_string(detail);
    case ipc::AckResult::SlotInUse:
        return "the dataplane's slot is in use";
    case ipc::AckResult::NoSuchSa:
        return "the dataplane has no such SA";
    case ipc::AckResult::NoSuchPolicy:
        return "the dataplane has no such policy";
    case ipc::AckResult::NoSuchInterface:
        return "the dataplane has no such interface";
    case ipc::AckResult::NoMemory:
        return "the dataplane is out of memory";
    case ipc::AckResult::UnsupportedAlgorithm:
        return "the dataplane does not have this algorithm";
    case ipc::AckResult::NotStaging:
        return "tables were not begun";
    case ipc::AckResult::WrongWorker:
        return "the SPI belongs to another worker";
    }
    return "the dataplane answered " + std::to_string(static_cast<unsigned>(result));
}

static ipc::CommandRecord to_record(const ike::InstallSaAction& action, std::uint32_t slot) {
    ipc::CommandRecord record{};
    ipc::InstallSa& install = record.install_sa;
    install.header.type = static_cast<std::uint16_t>(ipc::CommandType::InstallSa);
    install.sa_id = action.sa.value;
    install.spi = action.spi.value;
    install.slot = slot;
    install.policy = action.policy.value;
    install.local_address = action.local.address.value;
    install.remote_address = action.remote.address.value;
    install.local_port = action.local.port;
    install.remote_port = action.remote.port;
    install.direction = static_cast<std::uint8_t>(action.inbound ? ipc::Direction::Inbound
                                                                 : ipc::Direction::Outbound);
    install.cipher = static_cast<std::uint8_t>(action.cipher);
    install.mac = static_cast<std::uint8_t>(action.mac);
    install.flags = static_cast<std::uint8_t>((action.esn ? ipc::kSaExtendedSequence : 0) |
                                              (action.transport ? ipc::kSaTransportMode : 0));
    install.key_bytes = static_cast<std::uint8_t>(action.key.size());
    install.mac_key_bytes = static_cast<std::uint8_t>(action.mac_key.size());
    install.df_policy = static_cast<std::uint8_t>(ipc::DfPolicy::Copy);
    install.replay_window = action.inbound ? action.replay_window : 0;
    install.selector = to_record(action.selector);
    install.original_local = action.original_local.value;
    install.original_remote = action.original_remote.value;
    install.soft_bytes = action.soft_bytes;
    install.hard_bytes = action.hard_bytes;
    install.soft_packets = action.esn || action.inbound ? 0 : kSoftSequence;
    install.first_sequence = action.inbound ? 0 : 1;
    ENSURE(action.key.size() <= sizeof install.key &&
           action.mac_key.size() <= sizeof install.mac_key);
    std::ranges::copy(action.key.view(), install.key);
    std::ranges::copy(action.mac_key.view(), install.mac_key);
    return record;
}

Installer::Installer(DataplaneClient& dataplane, SaDb& db, Rng& rng, Finished finished)
    : dataplane_(dataplane), db_(db), rng_(rng), finished_(std::move(finished)) {}

void Installer::start_over(std::uint32_t workers, std::uint32_t slots) {
    db_.forget_all();
    spis_.inner = std::make_unique<InboundSpis>(workers, slots, rng_);
    outbound_slots_.assign(workers, SlotPool(slots));
}

void Installer::resume(std::uint32_t workers,
                       std::uint32_t slots,
                       const std::vector<std::pair<Spi, PolicyId>>& engine) {
    spis_.inner = std::make_unique<InboundSpis>(workers, slots, rng_);
    outbound_slots_.assign(workers, SlotPool(slots));
    std::vector<InboundSpis::Resumed> spis;
    std::vector<std::vector<bool>> outbound(workers, std::vector<bool>(slots));
    for (const auto& [spi, policy] : engine)
        spis.push_back({spi, policy, true, false});
    for (const InstalledSa& sa : db_.all()) {
        if (sa.worker.value >= workers || sa.slot >= slots)
            continue; // the dataplane will not know it either
        if (sa.inbound)
            spis.push_back({sa.spi, sa.policy, false, true});
        else
            outbound[sa.worker.value][sa.slot] = true;
    }
    spis_.inner->resume(spis);
    for (std::uint32_t worker = 0; worker < workers; ++worker)
        outbound_slots_[worker].resume(outbound[worker]);
}

void Installer::adopt(const InstalledSa& sa, DataplaneClient::AckCallback on_ack) {
    ipc::CommandRecord record{};
    record.adopt_sa.header.type = static_cast<std::uint16_t>(ipc::CommandType::AdoptSa);
    record.adopt_sa.sa_id = sa.sa.value;
    record.adopt_sa.spi = sa.spi.value;
    record.adopt_sa.slot = sa.slot;
    record.adopt_sa.direction =
        static_cast<std::uint8_t>(sa.inbound ? ipc::Direction::Inbound : ipc::Direction::Outbound);
    dataplane_.command_worker(sa.worker, record, std::move(on_ack));
}

void Installer::adopt_all(const Adoption& adoption) {
    const std::vector<InstalledSa> sas = db_.all();
    if (sas.empty())
        return adoption.done();
    auto unanswered = std::make_shared<std::size_t>(sas.size());
    for (const InstalledSa& sa : sas)
        adopt(sa, [this, sa, unanswered, adoption](ipc::AckResult result, std::uint32_t detail) {
            if (result != ipc::AckResult::Ok) {
                let_go(sa);
                adoption.missing(sa.sa);
            } else if ((detail & ipc::kAdoptedPastHardLimit) != 0) {
                adoption.limit_passed(sa.sa, true);
            } else if ((detail & ipc::kAdoptedPastSoftLimit) != 0) {
                adoption.limit_passed(sa.sa, false);
            }
            if (--*unanswered == 0)
                adoption.done();
        });
}

/// The inbound one is in the SPI, and is the dataplane's from now on.
std::optional<std::uint32_t> Installer::take_slot(const ike::InstallSaAction& action) {
    if (!action.inbound)
        return outbound_slots_[spi_worker(action.inbound_spi).value].take();
    spis_.inner->installed(action.spi);
    return spi_slot(action.spi);
}

void Installer::install(ike::InstallSaAction&& action) {
    if (!dataplane_.attached()) {
        finished_({action.sa, false, "no dataplane is attached"});
        return;
    }
    if (!spis_.inner->holds(action.inbound_spi)) {
        finished_({action.sa, false, "its SPI was chosen for a dataplane that is gone"});
        return;
    }
    const std::optional<std::uint32_t> slot = take_slot(action);
    if (!slot) {
        finished_({action.sa, false, "all outbound SA slots are in use"});
        return;
    }
    const InstalledSa sa{action.sa,
                         action.spi,
                         spi_worker(action.inbound_spi),
                         *slot,
                         action.inbound,
                         action.policy,
                         action.remote.address};
    db_.add(sa);
    ipc::CommandRecord record = to_record(action, *slot);
    dataplane_.command_worker(
        sa.worker, record, [this, sa](ipc::AckResult result, std::uint32_t detail) {
            on_install_ack(sa, result, detail);
        });
    wipe(&record, sizeof record);
}

void Installer::on_install_ack(const InstalledSa& sa, ipc::AckResult result, std::uint32_t detail) {
    const bool ok = result == ipc::AckResult::Ok;
    if (!ok)
        let_go(sa);
    finished_({sa.sa, ok, ok ? "" : describe(result, detail)});
}

void Installer::let_go(const InstalledSa& sa) {
    if (db_.find(sa.sa) == nullptr)
        return; // asked twice to remove it
    db_.remove(sa.sa);
    if (sa.inbound)
        spis_.inner->uninstalled(sa.spi);
    else
        outbound_slots_[sa.worker.value].give_back(sa.slot);
}

void Installer::remove(const ike::RemoveSaAction& action) {
    const InstalledSa* known = db_.find(action.sa);
    if (known == nullptr)
        return; // refused, or of a dataplane that is gone
    const InstalledSa sa = *known;
    ipc::CommandRecord record{};
    record.remove_sa.header.type = static_cast<std::uint16_t>(ipc::CommandType::RemoveSa);
    record.remove_sa.sa_id = sa.sa.value;
    record.remove_sa.slot = sa.slot;
    record.remove_sa.direction =
        static_cast<std::uint8_t>(sa.inbound ? ipc::Direction::Inbound : ipc::Direction::Outbound);
    dataplane_.command_worker(
        sa.worker, record, [this, sa](ipc::AckResult, std::uint32_t) { let_go(sa); });
}

} // namespace adit::sa

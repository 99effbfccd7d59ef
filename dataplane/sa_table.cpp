// SPDX-License-Identifier: Apache-2.0
#include "dataplane/sa_table.h"

#include "common/address.h"
#include "common/prefetch.h"
#include "common/secret.h"
#include "common/wire/ipv4.h"
#include "common/wire/udp.h"
#include "dataplane/crypto_mb.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstring>
#include <string>
#include <sys/mman.h>
#include <type_traits>
#include <utility>

namespace adit::dataplane {

namespace {

using ipc::AckResult;
using ipc::InstallSa;

constexpr std::uint8_t kKnownFlags = ipc::kSaExtendedSequence | ipc::kSaTransportMode;
constexpr std::uint32_t kMinPathMtu = 576; // RFC 791: every host takes this much
// RFC 4303 2.2: the last number that may be sent. With extended numbers one is left unused, so that
// counting on from the last never wraps.
constexpr std::uint64_t kLastShortSequence = 0xffff'ffff;
constexpr std::uint64_t kLastExtendedSequence = 0xffff'ffff'ffff'fffe;
/// Words of 64 slots that one call of publish() looks at, so that few SAs in high slots cost
/// little.
constexpr unsigned kWordsPerPublish = 16;
constexpr std::size_t kCacheLine = 64;

static_assert(std::is_trivially_copyable_v<InboundSa> && std::is_trivially_copyable_v<OutboundSa>);

CommandOutcome refused(AckResult result, std::size_t field_offset) {
    return {result, static_cast<std::uint32_t>(field_offset)};
}

CommandOutcome bad(std::size_t field_offset) {
    return refused(AckResult::BadValue, field_offset);
}

/// Address space only: pages come with the first write (MAP_NORESERVE), 2 MiB ones where the system
/// gives them. Keys will lie here, so not in core dumps nor in children.
template <class T> Result<T*> reserve(std::size_t count) {
    const std::size_t length = count * sizeof(T);
    void* memory = mmap(nullptr,
                        length,
                        PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                        -1,
                        0);
    if (memory == MAP_FAILED)
        return fail_errno("reserve " + std::to_string(length >> 20) + " MiB for SAs");
    madvise(memory, length, MADV_DONTDUMP);
    madvise(memory, length, MADV_WIPEONFORK);
    madvise(memory, length, MADV_HUGEPAGE); // advice: a system without them still works
    return static_cast<T*>(memory);
}

template <class T> void release(T* memory, std::size_t count) {
    if (memory != nullptr)
        munmap(memory, count * sizeof(T));
}

bool is_used(const std::vector<std::uint64_t>& used, std::uint32_t slot) {
    return (used[slot / 64] >> (slot % 64) & 1) != 0;
}

void flip_used(std::vector<std::uint64_t>& used, std::uint32_t slot) {
    used[slot / 64] ^= std::uint64_t{1} << (slot % 64);
}

void clear_doubt(std::vector<std::uint64_t>& doubtful, std::uint32_t slot) {
    doubtful[slot / 64] &= ~(std::uint64_t{1} << (slot % 64));
}

template <class Sa> std::uint32_t limits_passed(const Sa& sa) {
    std::uint32_t passed = 0;
    // Without a soft limit there is nothing from it to the hard one.
    if (sa.limits.soft_reported && sa.limits.until_hard != 0)
        passed |= ipc::kAdoptedPastSoftLimit;
    if (sa.limits.expired)
        passed |= ipc::kAdoptedPastHardLimit;
    return passed;
}

template <class Sa> void wipe_used(Sa* sas, const std::vector<std::uint64_t>& used) {
    for (std::size_t word = 0; word < used.size(); ++word)
        for (std::uint64_t bits = used[word]; bits != 0; bits &= bits - 1)
            wipe(sas + word * 64 + static_cast<unsigned>(std::countr_zero(bits)), sizeof(Sa));
}

bool is_unicast(std::uint32_t address) {
    const Ipv4Address ipv4{address};
    return !ipv4.is_unspecified() && !ipv4.is_multicast() && !ipv4.is_loopback() &&
           address >> 28 != 0xf;
}

CommandOutcome check_algorithms(const InstallSa& command) {
    if (command.cipher >= kEspCiphers.size())
        return refused(AckResult::UnsupportedAlgorithm, offsetof(InstallSa, cipher));
    if (command.mac >= kEspMacs.size())
        return refused(AckResult::UnsupportedAlgorithm, offsetof(InstallSa, mac));
    const EspCipher cipher{command.cipher};
    const EspMac mac{command.mac};
    if (!is_sound(cipher, mac))
        return refused(AckResult::UnsupportedAlgorithm, offsetof(InstallSa, mac));
    if (command.key_bytes != info(cipher).key_bytes + info(cipher).salt_bytes)
        return bad(offsetof(InstallSa, key_bytes));
    if (command.mac_key_bytes != info(mac).key_bytes)
        return bad(offsetof(InstallSa, mac_key_bytes));
    return {};
}

CommandOutcome check_endpoints(const InstallSa& command) {
    if (!is_unicast(command.local_address))
        return bad(offsetof(InstallSa, local_address));
    if (!is_unicast(command.remote_address) || command.remote_address == command.local_address)
        return bad(offsetof(InstallSa, remote_address));
    if ((command.local_port == 0) != (command.remote_port == 0))
        return bad(offsetof(InstallSa, remote_port));
    if (command.path_mtu != 0 &&
        (command.path_mtu < kMinPathMtu || command.path_mtu > kMaxIpv4Bytes))
        return bad(offsetof(InstallSa, path_mtu));
    return {};
}

CommandOutcome check_selector(const ipc::SelectorRecord& selector) {
    constexpr std::size_t base = offsetof(InstallSa, selector);
    if (selector.local_first > selector.local_last)
        return bad(base + offsetof(ipc::SelectorRecord, local_first));
    if (selector.remote_first > selector.remote_last)
        return bad(base + offsetof(ipc::SelectorRecord, remote_first));
    if (selector.local_port_first > selector.local_port_last)
        return bad(base + offsetof(ipc::SelectorRecord, local_port_first));
    if (selector.remote_port_first > selector.remote_port_last)
        return bad(base + offsetof(ipc::SelectorRecord, remote_port_first));
    return {};
}

/// RFC 4301 4.1: between two security gateways, transport mode is for their own traffic alone.
CommandOutcome check_mode(const InstallSa& command) {
    if ((command.flags & ipc::kSaTransportMode) == 0) {
        if (command.original_local != 0)
            return bad(offsetof(InstallSa, original_local));
        return command.original_remote == 0 ? CommandOutcome{}
                                            : bad(offsetof(InstallSa, original_remote));
    }
    constexpr std::size_t base = offsetof(InstallSa, selector);
    const ipc::SelectorRecord& selector = command.selector;
    if (selector.local_first != command.local_address ||
        selector.local_last != command.local_address)
        return bad(base + offsetof(ipc::SelectorRecord, local_first));
    if (selector.remote_first != command.remote_address ||
        selector.remote_last != command.remote_address)
        return bad(base + offsetof(ipc::SelectorRecord, remote_first));
    return {};
}

bool selects_ports(const ipc::SelectorRecord& selector) {
    const PortRange local{selector.local_port_first, selector.local_port_last};
    const PortRange remote{selector.remote_port_first, selector.remote_port_last};
    return !local.is_any() || !remote.is_any();
}

CommandOutcome check_limits(const InstallSa& command, ipc::Direction direction) {
    const bool extended = (command.flags & ipc::kSaExtendedSequence) != 0;
    if ((command.flags & ~kKnownFlags) != 0)
        return bad(offsetof(InstallSa, flags));
    if (command.df_policy > static_cast<std::uint8_t>(ipc::DfPolicy::Clear))
        return bad(offsetof(InstallSa, df_policy));
    if (!ReplayWindow::is_valid_size(command.replay_window))
        return bad(offsetof(InstallSa, replay_window));
    if (direction == ipc::Direction::Inbound) {
        // RFC 4303 3.4.3: the upper half is inferred from the window, so there must be one.
        if (extended && command.replay_window == 0)
            return bad(offsetof(InstallSa, replay_window));
        if (command.first_sequence != 0)
            return bad(offsetof(InstallSa, first_sequence));
    } else if (command.first_sequence == 0 ||
               (!extended && command.first_sequence > kLastShortSequence)) {
        return bad(offsetof(InstallSa, first_sequence));
    }
    if (command.hard_bytes != 0 && command.soft_bytes > command.hard_bytes)
        return bad(offsetof(InstallSa, soft_bytes));
    return {};
}

/// Everything that holds for both directions.
CommandOutcome check(const InstallSa& command, const SaTableConfig& config) {
    if (command.direction > static_cast<std::uint8_t>(ipc::Direction::Outbound))
        return bad(offsetof(InstallSa, direction));
    if (command.sa_id == 0)
        return bad(offsetof(InstallSa, sa_id));
    if (command.slot >= config.max_sas)
        return bad(offsetof(InstallSa, slot));
    if (command.spi < SaTable::kFirstSpi)
        return bad(offsetof(InstallSa, spi));
    if (command.policy >= config.max_policies)
        return refused(AckResult::NoSuchPolicy, offsetof(InstallSa, policy));
    if (const auto outcome = check_algorithms(command); !outcome.ok())
        return outcome;
    if (const auto outcome = check_endpoints(command); !outcome.ok())
        return outcome;
    if (const auto outcome = check_selector(command.selector); !outcome.ok())
        return outcome;
    if (const auto outcome = check_mode(command); !outcome.ok())
        return outcome;
    return check_limits(command, ipc::Direction{command.direction});
}

std::uint8_t traits_of(const InstallSa& command) {
    unsigned traits = 0;
    if ((command.flags & ipc::kSaExtendedSequence) != 0)
        traits |= kTraitExtendedSequence;
    if (command.local_port != 0)
        traits |= kTraitUdp;
    if (is_combined_mode(EspCipher{command.cipher}))
        traits |= kTraitCombined;
    if (selects_ports(command.selector))
        traits |= kTraitSelectsPorts;
    if ((command.flags & ipc::kSaTransportMode) != 0)
        traits |= kTraitTransport;
    return static_cast<std::uint8_t>(traits);
}

/// Octets until the first threshold; `limits` gets what comes behind it.
std::uint64_t first_threshold(const InstallSa& command, ByteLimits& limits) {
    limits.expired = false;
    limits.soft_reported = command.soft_bytes == 0;
    const std::uint64_t hard = command.hard_bytes == 0 ? kNoByteLimit : command.hard_bytes;
    if (command.soft_bytes == 0) {
        limits.until_hard = 0;
        limits.granted = hard;
    } else {
        limits.until_hard = hard == kNoByteLimit ? kNoByteLimit : hard - command.soft_bytes;
        limits.granted = command.soft_bytes;
    }
    return limits.granted;
}

void reset(ipc::SaStats& stats, std::uint32_t sa_id) {
    for (ipc::Counter* counter : {&stats.packets,
                                  &stats.bytes,
                                  &stats.sequence,
                                  &stats.last_packet_ns,
                                  &stats.replay_drops,
                                  &stats.integrity_drops,
                                  &stats.other_drops})
        counter->store(0, std::memory_order_relaxed);
    stats.sa_id.store(sa_id, std::memory_order_relaxed);
}

void write_changed(ipc::SaStats& to,
                   std::uint64_t packets,
                   std::uint64_t bytes,
                   std::uint64_t sequence,
                   std::uint64_t now_ns) {
    if (packets == ipc::read(to.packets))
        return;
    to.packets.store(packets, std::memory_order_relaxed);
    to.bytes.store(bytes, std::memory_order_relaxed);
    to.sequence.store(sequence, std::memory_order_relaxed);
    to.last_packet_ns.store(now_ns, std::memory_order_relaxed);
}

/// Control's limit, but in any case while a sixteenth of the numbers is left (RFC 4303 3.3.3).
std::uint64_t soft_sequence_of(const InstallSa& command, std::uint64_t last_sequence) {
    const std::uint64_t reserve_from = last_sequence - last_sequence / 16;
    if (command.soft_packets == 0 || command.soft_packets > last_sequence - command.first_sequence)
        return reserve_from;
    return std::min(reserve_from, command.first_sequence + command.soft_packets - 1);
}

void build_template(OutboundSa& sa, const InstallSa& command) {
    wire::Ipv4Header header{sa.header_template};
    const bool udp = command.local_port != 0;
    header.write({.protocol = udp ? wire::kProtocolUdp : wire::kProtocolEsp,
                  .source = command.local_address,
                  .destination = command.remote_address});
    store_be(sa.header_template + 10, std::uint16_t{0});
    sa.template_sum = static_cast<std::uint32_t>(
        wire::checksum_add(0, {sa.header_template, wire::kIpv4Bytes}) % 0xffff);
    if (udp)
        wire::UdpHeader{sa.header_template + wire::kIpv4Bytes}.write(
            command.local_port, command.remote_port, 0);
    sa.outer_header = static_cast<std::uint8_t>(
        outer_header_bytes(udp ? Encapsulation::Udp : Encapsulation::Native));
    store_be(sa.header_template + sa.outer_header, command.spi);
}

} // namespace

Result<SaTable> SaTable::create(const SaTableConfig& config, CryptoMb& crypto) {
    if (config.max_sas == 0 || config.max_sas > kMaxSaSlots)
        return fail(ErrorCode::Invalid,
                    "max-sas must be 1.." + std::to_string(kMaxSaSlots) + ", not " +
                        std::to_string(config.max_sas));
    if (config.max_policies == 0)
        return fail(ErrorCode::Invalid, "max-policies must not be 0");
    SaTable table{config, crypto};
    table.inbound_used_.resize((config.max_sas + 63) / 64);
    table.outbound_used_.resize((config.max_sas + 63) / 64);
    table.inbound_doubtful_.resize((config.max_sas + 63) / 64);
    table.outbound_doubtful_.resize((config.max_sas + 63) / 64);
    table.inbound_ = TRY(reserve<InboundSa>(config.max_sas));
    table.outbound_ = TRY(reserve<OutboundSa>(config.max_sas));
    table.current_ = TRY(reserve<OutboundSa*>(config.max_policies));
    return table;
}

SaTable::SaTable(SaTable&& other) noexcept
    : config_(other.config_), crypto_(other.crypto_),
      inbound_(std::exchange(other.inbound_, nullptr)),
      outbound_(std::exchange(other.outbound_, nullptr)),
      current_(std::exchange(other.current_, nullptr)),
      inbound_used_(std::move(other.inbound_used_)),
      outbound_used_(std::move(other.outbound_used_)),
      inbound_doubtful_(std::move(other.inbound_doubtful_)),
      outbound_doubtful_(std::move(other.outbound_doubtful_)),
      inbound_end_(std::exchange(other.inbound_end_, 0)),
      outbound_end_(std::exchange(other.outbound_end_, 0)), size_(std::exchange(other.size_, 0)) {}

SaTable::~SaTable() {
    wipe_used(inbound_, inbound_used_);
    wipe_used(outbound_, outbound_used_);
    release(inbound_, config_.max_sas);
    release(outbound_, config_.max_sas);
    release(current_, config_.max_policies);
}

CommandOutcome SaTable::install(const InstallSa& command) {
    if (const auto outcome = check(command, config_); !outcome.ok())
        return outcome;
    const auto outcome = ipc::Direction{command.direction} == ipc::Direction::Inbound
                             ? install_inbound(command)
                             : install_outbound(command);
    if (outcome.ok())
        crypto_->expect_keys(++size_);
    return outcome;
}

CommandOutcome SaTable::install_inbound(const InstallSa& command) {
    const Spi spi{command.spi};
    if (spi_worker(spi) != config_.worker)
        return refused(AckResult::WrongWorker, offsetof(InstallSa, spi));
    if (spi_slot(spi) != command.slot)
        return bad(offsetof(InstallSa, spi));
    if (is_used(inbound_used_, command.slot))
        return refused(AckResult::SlotInUse, offsetof(InstallSa, slot));
    InboundSa& sa = inbound_[command.slot];

    sa.sa_id = command.sa_id;
    sa.policy = command.policy;
    sa.local_address = command.local_address;
    sa.remote_address = command.remote_address;
    sa.local_port = command.local_port;
    sa.remote_port = command.remote_port;
    sa.cipher = EspCipher{command.cipher};
    sa.mac = EspMac{command.mac};
    sa.traits = traits_of(command);
    sa.key_lines = crypto_->key_lines(sa.cipher, sa.mac, ipc::Direction::Inbound);
    sa.layout = EspLayout::of(sa.cipher, sa.mac);
    sa.min_esp = static_cast<std::uint16_t>(sa.layout.min_esp());
    sa.selector = command.selector;
    sa.window.reset(command.replay_window,
                    sa.has(kTraitExtendedSequence) ? SequenceForm::Extended : SequenceForm::Short,
                    ReplayWindow::words_needed(command.replay_window) <= std::size(sa.window_words)
                        ? sa.window_words
                        : sa.wide_window_words);
    sa.bytes_left = first_threshold(command, sa.limits);
    sa.packets = 0;
    sa.moved_address = command.remote_address;
    sa.moved_port = command.remote_port;
    sa.original_local = command.original_local;
    sa.original_remote = command.original_remote;
    install_keys(command, sa.cipher, sa.mac, sa.salt_be, sa.keys);
    reset(stats_of(sa), command.sa_id);
    inbound_end_ = std::max(inbound_end_, command.slot + 1);
    sa.spi = command.spi;
    flip_used(inbound_used_, command.slot);
    return {};
}

CommandOutcome SaTable::install_outbound(const InstallSa& command) {
    if (is_used(outbound_used_, command.slot))
        return refused(AckResult::SlotInUse, offsetof(InstallSa, slot));
    OutboundSa& sa = outbound_[command.slot];

    sa.sa_id = command.sa_id;
    sa.policy = command.policy;
    sa.path_mtu = static_cast<std::uint16_t>(command.path_mtu);
    sa.cipher = EspCipher{command.cipher};
    sa.mac = EspMac{command.mac};
    sa.traits = traits_of(command);
    sa.key_lines = crypto_->key_lines(sa.cipher, sa.mac, ipc::Direction::Outbound);
    sa.layout = EspLayout::of(sa.cipher, sa.mac);
    const ipc::DfPolicy df{command.df_policy};
    sa.df_from_inner = df == ipc::DfPolicy::Copy ? wire::kIpv4DontFragment : std::uint16_t{0};
    sa.df_always = df == ipc::DfPolicy::Set ? wire::kIpv4DontFragment : std::uint16_t{0};
    build_template(sa, command);
    sa.first_sequence = command.first_sequence;
    sa.next_sequence = command.first_sequence;
    sa.surplus_pieces = 0;
    sa.last_sequence = sa.has(kTraitExtendedSequence) ? kLastExtendedSequence : kLastShortSequence;
    sa.soft_sequence = soft_sequence_of(command, sa.last_sequence);
    sa.bytes_left = first_threshold(command, sa.limits);
    std::uint8_t mask[8];
    crypto_->random(mask);
    sa.iv_mask = load_be<std::uint64_t>(mask);
    sa.local_address = command.local_address;
    sa.remote_address = command.remote_address;
    sa.local_port = command.local_port;
    sa.remote_port = command.remote_port;
    sa.soft_sequence_reported = false;
    sa.hard_sequence_reported = false;
    install_keys(command, sa.cipher, sa.mac, sa.salt_be, sa.keys);
    reset(stats_of(sa), command.sa_id);
    outbound_end_ = std::max(outbound_end_, command.slot + 1);
    sa.spi = command.spi;
    flip_used(outbound_used_, command.slot);
    current_[command.policy] = &sa;
    if (config_.owners != nullptr)
        config_.owners->claim(command.policy, config_.worker);
    return {};
}

void SaTable::install_keys(
    const InstallSa& command, EspCipher cipher, EspMac mac, std::uint8_t* salt, KeyBlock& keys) {
    const std::size_t key_bytes = info(cipher).key_bytes;
    // RFC 4106 8.1: the salt is what follows the key.
    std::memcpy(salt, command.key + key_bytes, info(cipher).salt_bytes);
    crypto_->expand(
        cipher, mac, {command.key, key_bytes}, {command.mac_key, info(mac).key_bytes}, keys);
}

CommandOutcome SaTable::remove(const ipc::RemoveSa& command) {
    if (command.direction > static_cast<std::uint8_t>(ipc::Direction::Outbound))
        return bad(offsetof(ipc::RemoveSa, direction));
    const auto outcome = ipc::Direction{command.direction} == ipc::Direction::Inbound
                             ? remove_inbound(command)
                             : remove_outbound(command);
    if (outcome.ok())
        crypto_->expect_keys(--size_);
    return outcome;
}

/// The slot that a command names holds the SA that it names.
template <class Command, class Sa>
CommandOutcome SaTable::check_there(const Command& command,
                                    const Sa* sas,
                                    const std::vector<std::uint64_t>& used) const {
    if (command.slot >= config_.max_sas || !is_used(used, command.slot))
        return refused(AckResult::NoSuchSa, offsetof(Command, slot));
    if (sas[command.slot].sa_id != command.sa_id)
        return refused(AckResult::NoSuchSa, offsetof(Command, sa_id));
    return {};
}

CommandOutcome SaTable::remove_inbound(const ipc::RemoveSa& command) {
    if (const auto outcome = check_there(command, inbound_, inbound_used_); !outcome.ok())
        return outcome;
    InboundSa& sa = inbound_[command.slot];
    publish(sa);
    wipe(&sa, sizeof sa);
    flip_used(inbound_used_, command.slot);
    clear_doubt(inbound_doubtful_, command.slot);
    return {};
}

CommandOutcome SaTable::remove_outbound(const ipc::RemoveSa& command) {
    if (const auto outcome = check_there(command, outbound_, outbound_used_); !outcome.ok())
        return outcome;
    OutboundSa& sa = outbound_[command.slot];
    if (current_[sa.policy] == &sa) {
        current_[sa.policy] = nullptr;
        if (config_.owners != nullptr)
            config_.owners->disclaim(sa.policy, config_.worker);
    }
    publish(sa);
    wipe(&sa, sizeof sa);
    flip_used(outbound_used_, command.slot);
    clear_doubt(outbound_doubtful_, command.slot);
    return {};
}

CommandOutcome SaTable::adopt(const ipc::AdoptSa& command) {
    if (command.direction > static_cast<std::uint8_t>(ipc::Direction::Outbound))
        return bad(offsetof(ipc::AdoptSa, direction));
    return ipc::Direction{command.direction} == ipc::Direction::Inbound ? adopt_inbound(command)
                                                                        : adopt_outbound(command);
}

CommandOutcome SaTable::adopt_inbound(const ipc::AdoptSa& command) {
    if (const auto outcome = check_there(command, inbound_, inbound_used_); !outcome.ok())
        return outcome;
    InboundSa& sa = inbound_[command.slot];
    if (sa.spi != command.spi)
        return refused(AckResult::NoSuchSa, offsetof(ipc::AdoptSa, sa_id));
    clear_doubt(inbound_doubtful_, command.slot);
    // A move that nobody may have heard of is reported again.
    sa.moved_address = sa.remote_address;
    sa.moved_port = sa.remote_port;
    return {ipc::AckResult::Ok, limits_passed(sa)};
}

CommandOutcome SaTable::adopt_outbound(const ipc::AdoptSa& command) {
    if (const auto outcome = check_there(command, outbound_, outbound_used_); !outcome.ok())
        return outcome;
    const OutboundSa& sa = outbound_[command.slot];
    if (sa.spi != command.spi)
        return refused(AckResult::NoSuchSa, offsetof(ipc::AdoptSa, sa_id));
    clear_doubt(outbound_doubtful_, command.slot);
    std::uint32_t passed = limits_passed(sa);
    if (sa.soft_sequence_reported)
        passed |= ipc::kAdoptedPastSoftLimit;
    if (sa.hard_sequence_reported)
        passed |= ipc::kAdoptedPastHardLimit;
    return {ipc::AckResult::Ok, passed};
}

void SaTable::forget_control() {
    inbound_doubtful_ = inbound_used_;
    outbound_doubtful_ = outbound_used_;
}

void SaTable::remove_doubtful() {
    remove_doubtful(ipc::Direction::Inbound, inbound_, inbound_doubtful_);
    remove_doubtful(ipc::Direction::Outbound, outbound_, outbound_doubtful_);
}

template <class Sa>
void SaTable::remove_doubtful(ipc::Direction direction,
                              const Sa* sas,
                              std::vector<std::uint64_t>& doubtful) {
    for (std::size_t word = 0; word < doubtful.size(); ++word)
        for (std::uint64_t bits = doubtful[word]; bits != 0; bits &= bits - 1) {
            ipc::RemoveSa command{};
            command.slot = static_cast<std::uint32_t>(
                word * 64 + static_cast<unsigned>(std::countr_zero(bits)));
            command.sa_id = sas[command.slot].sa_id;
            command.direction = static_cast<std::uint8_t>(direction);
            ENSURE(remove(command).ok());
        }
}

void SaTable::publish(std::uint32_t most, std::uint64_t now_ns) {
    published_ns_ = now_ns;
    most = std::min(most, size_); // none twice
    publish_next(inbound_, inbound_used_, inbound_end_, inbound_round_, most);
    publish_next(outbound_, outbound_used_, outbound_end_, outbound_round_, most);
}

/// What publish() reads of an SA, which may be cold.
template <class Sa> void SaTable::fetch_counted(const Sa& sa) const {
    static_assert(offsetof(Sa, limits) == 2 * kCacheLine);
    const auto* lines = static_cast<const std::uint8_t*>(static_cast<const void*>(&sa));
    prefetch(lines + kCacheLine);
    prefetch(lines + 2 * kCacheLine);
    prefetch(&stats_of(sa));
}

template <class Sa>
void SaTable::publish_next(Sa* sas,
                           const std::vector<std::uint64_t>& used,
                           std::uint32_t end,
                           Round& round,
                           std::uint32_t most) {
    for (std::uint32_t words = 0, done = 0; done < most;) {
        round.left &= used[round.word]; // some may have been removed
        if (round.left == 0) {
            if (++words > kWordsPerPublish)
                return;
            round.word = (round.word + 1) * 64 < end ? round.word + 1 : 0;
            round.left = used[round.word];
            continue;
        }
        const std::size_t slot =
            round.word * 64 + static_cast<unsigned>(std::countr_zero(round.left));
        publish(sas[slot]);
        if (slot + most < end)
            fetch_counted(sas[slot + most]); // what the next call will most likely come to
        round.left &= round.left - 1;
        ++done;
    }
}

void SaTable::publish(const InboundSa& sa) const {
    write_changed(stats_of(sa),
                  sa.packets,
                  sa.limits.granted - sa.bytes_left,
                  sa.window.highest(),
                  published_ns_);
}

void SaTable::publish(OutboundSa& sa) const {
    ipc::SaStats& stats = stats_of(sa);
    const std::uint64_t packets = sa.next_sequence - sa.first_sequence;
    const std::uint64_t sent = packets - ipc::read(stats.packets);
    if (sent == 0 && sa.surplus_pieces == 0)
        return;
    ipc::PolicyStats& policy = stats_of_policy(sa.policy);
    ipc::add(policy.sent, sent);
    ipc::add(policy.hits, sent - std::exchange(sa.surplus_pieces, 0));
    write_changed(
        stats, packets, sa.limits.granted - sa.bytes_left, sa.next_sequence - 1, published_ns_);
}

} // namespace adit::dataplane

// SPDX-License-Identifier: Apache-2.0
#include "common/ipc/channel.h"
#include "common/ipc/neighbor_cell.h"
#include "tests/unit/ipc/heap_ring.h"

#include <algorithm>
#include <array>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/stat.h>

namespace adit::ipc {
namespace {

using testing::HasSubstr;

ChannelConfig small_config() {
    return {.workers = 2,
            .max_sas = 8,
            .max_policies = 4,
            .command_slots = 4,
            .event_slots = 4,
            .punt_slots = 2,
            .inject_slots = 2,
            .port_names = {"GigabitEthernet0/0", "GigabitEthernet0/1"}};
}

UniqueFd copy_of(int fd) {
    return UniqueFd{::fcntl(fd, F_DUPFD_CLOEXEC, 0)};
}

class Channel : public testing::Test {
  protected:
    void SetUp() override {
        auto made_stats = DataplaneStats::create(small_config(), rng_);
        ASSERT_TRUE(made_stats) << made_stats.error().text;
        stats_.emplace(std::move(*made_stats));
        dataplane_ = attach_dataplane(1);
        auto attached = attach_control(*dataplane_);
        ASSERT_TRUE(attached) << attached.error().text;
        control_ = std::move(*attached);
    }

    std::unique_ptr<DataplaneChannel> attach_dataplane(std::uint64_t generation) {
        auto made = DataplaneChannel::create(*stats_, generation);
        EXPECT_TRUE(made) << made.error().text;
        return std::move(*made);
    }

    ChannelFds fds_of(const DataplaneChannel& dataplane) {
        return {.stats = copy_of(stats_->fd()),
                .up = copy_of(dataplane.up_fd()),
                .down = copy_of(dataplane.down_fd()),
                .doorbell = copy_of(dataplane.control_doorbell_fd()),
                .journal = copy_of(stats_->journal_fd())};
    }

    Result<std::unique_ptr<ControlChannel>> attach_control(const DataplaneChannel& dataplane) {
        return ControlChannel::attach(fds_of(dataplane));
    }

    bool bell_rings() {
        pollfd bell{.fd = control_->doorbell_fd(), .events = POLLIN, .revents = 0};
        return ::poll(&bell, 1, 0) == 1;
    }

    SystemRng rng_;
    std::optional<DataplaneStats> stats_;
    std::unique_ptr<DataplaneChannel> dataplane_;
    std::unique_ptr<ControlChannel> control_;
};

// ---------------------------------------------------------------------------------------------------
// rings and counters

TEST_F(Channel, TellsControlWhatTheDataplaneIs) {
    EXPECT_EQ(control_->config().workers, 2U);
    EXPECT_EQ(control_->config().max_sas, 8U);
    EXPECT_THAT(control_->config().port_names,
                testing::ElementsAre("GigabitEthernet0/0", "GigabitEthernet0/1"));
    EXPECT_EQ(control_->dataplane_pid(), static_cast<std::uint32_t>(::getpid()));
    EXPECT_EQ(control_->boot_id(), stats_->boot_id());
    EXPECT_EQ(control_->generation(), 1U);
}

TEST_F(Channel, EveryRingLeadsToItsOwnCounterpart) {
    CommandRecord command{};
    EventRecord event{};
    for (std::uint32_t worker = 0; worker < 2; ++worker) {
        ASSERT_TRUE(control_->commands(worker).try_push(numbered_command(10 + worker)));
        ASSERT_TRUE(dataplane_->events(worker).try_push(numbered_event(20 + worker)));
    }
    ASSERT_TRUE(control_->housekeeper_commands().try_push(numbered_command(12)));
    ASSERT_TRUE(dataplane_->housekeeper_events().try_push(numbered_event(22)));
    for (std::uint32_t worker = 0; worker < 2; ++worker) {
        ASSERT_EQ(dataplane_->commands(worker).try_pop(command), PopResult::Got);
        EXPECT_TRUE(same(command, numbered_command(10 + worker)));
        ASSERT_EQ(control_->events(worker).try_pop(event), PopResult::Got);
        EXPECT_EQ(event.ack.sequence, 20 + worker);
        EXPECT_EQ(control_->events(worker).try_pop(event), PopResult::Empty);
    }
    ASSERT_EQ(dataplane_->housekeeper_commands().try_pop(command), PopResult::Got);
    EXPECT_TRUE(same(command, numbered_command(12)));
    ASSERT_EQ(control_->housekeeper_events().try_pop(event), PopResult::Got);
    EXPECT_EQ(event.ack.sequence, 22U);
}

TEST_F(Channel, CarriesDatagramsBothWays) {
    auto sent = std::make_unique<DatagramRecord>();
    auto out = std::make_unique<DatagramRecord>();
    sent->length = 28;
    sent->source_port = 500;
    ASSERT_TRUE(dataplane_->punt().try_push(*sent));
    ASSERT_EQ(control_->punt().try_pop(*out), PopResult::Got);
    EXPECT_EQ(out->source_port, 500);
    sent->source_port = 4500;
    ASSERT_TRUE(control_->inject().try_push(*sent));
    ASSERT_EQ(dataplane_->inject().try_pop(*out), PopResult::Got);
    EXPECT_EQ(out->source_port, 4500);
}

TEST_F(Channel, AFullPuntRingLeavesEventsAlone) {
    const auto datagram = std::make_unique<DatagramRecord>();
    while (dataplane_->punt().try_push(*datagram)) {
    }
    EXPECT_EQ(dataplane_->punt().full_count(), 1U);
    EXPECT_TRUE(dataplane_->housekeeper_events().try_push(numbered_event(1)));
    EXPECT_EQ(dataplane_->housekeeper_events().full_count(), 0U);
}

TEST_F(Channel, CountersAreCellsOfTheirOwn) {
    add(stats_->core_stats(0).packets, 1);
    add(stats_->core_stats(1).packets, 2);
    add(stats_->housekeeper_stats().packets, 3);
    add(stats_->port_stats(1).in_packets, 4);
    std::uint64_t number = 100;
    for (std::uint32_t worker = 0; worker < 2; ++worker) {
        for (std::uint32_t slot = 0; slot < 8; ++slot) {
            add(stats_->inbound_sa_stats(worker, slot).packets, number++);
            add(stats_->outbound_sa_stats(worker, slot).packets, number++);
        }
        for (std::uint32_t policy = 0; policy < 4; ++policy)
            add(stats_->policy_stats(policy, worker).hits, number++);
    }
    EXPECT_EQ(read(control_->core_stats(0).packets), 1U);
    EXPECT_EQ(read(control_->core_stats(1).packets), 2U);
    EXPECT_EQ(read(control_->housekeeper_stats().packets), 3U);
    EXPECT_EQ(read(control_->port_stats(1).in_packets), 4U);
    EXPECT_EQ(read(control_->port_stats(0).in_packets), 0U);
    number = 100;
    for (std::uint32_t worker = 0; worker < 2; ++worker) {
        for (std::uint32_t slot = 0; slot < 8; ++slot) {
            EXPECT_EQ(read(control_->inbound_sa_stats(worker, slot).packets), number++);
            EXPECT_EQ(read(control_->outbound_sa_stats(worker, slot).packets), number++);
        }
        for (std::uint32_t policy = 0; policy < 4; ++policy)
            EXPECT_EQ(read(control_->policy_stats(policy, worker).hits), number++);
    }
}

TEST_F(Channel, NeighborsAreRead) {
    EXPECT_EQ(control_->neighbors().size(), kMaxNeighbors);
    EXPECT_FALSE(load_neighbor(control_->neighbors()[5]));
    store_neighbor(stats_->neighbors()[5],
                   {.state = NeighborState::Reachable,
                    .address = 0x0a000001,
                    .interface = 1,
                    .mac = {2, 0, 0, 0, 0, 7},
                    .updated_ns = 0x1'0000'0002});
    const auto seen = load_neighbor(control_->neighbors()[5]);
    ASSERT_TRUE(seen);
    EXPECT_EQ(seen->state, NeighborState::Reachable);
    EXPECT_EQ(seen->address, 0x0a000001U);
    EXPECT_EQ(seen->interface, 1);
    EXPECT_EQ(seen->mac[5], 7);
    EXPECT_EQ(seen->updated_ns, 0x1'0000'0002U);
}

TEST_F(Channel, ANeighborThatNeverSettlesIsNoAnswer) {
    NeighborEntry cell{};
    cell.version = 1;
    cell.state = static_cast<std::uint32_t>(NeighborState::Reachable);
    EXPECT_FALSE(load_neighbor(cell));
    cell.version = 2;
    EXPECT_TRUE(load_neighbor(cell));
    cell.state = 77;
    EXPECT_FALSE(load_neighbor(cell));
}

TEST_F(Channel, CountersOutliveAnAttachment) {
    add(stats_->core_stats(0).packets, 41);
    control_.reset();
    dataplane_ = attach_dataplane(2);
    auto again = attach_control(*dataplane_);
    ASSERT_TRUE(again) << again.error().text;
    EXPECT_EQ((*again)->generation(), 2U);
    EXPECT_EQ(read((*again)->core_stats(0).packets), 41U);
    EventRecord event{};
    EXPECT_EQ((*again)->events(0).try_pop(event), PopResult::Empty);
}

// ---------------------------------------------------------------------------------------------------
// sleeping

TEST_F(Channel, AnAwakeControlIsNotRung) {
    ASSERT_TRUE(dataplane_->events(0).try_push(numbered_event(1)));
    dataplane_->wake_control();
    EXPECT_FALSE(bell_rings());
}

TEST_F(Channel, ASleepingControlIsRungOnce) {
    ASSERT_TRUE(control_->prepare_to_sleep());
    EXPECT_FALSE(bell_rings());
    dataplane_->wake_control();
    dataplane_->wake_control();
    EXPECT_TRUE(bell_rings());
    char rings[8];
    EXPECT_EQ(::read(control_->doorbell_fd(), rings, sizeof rings), 1);
    EXPECT_FALSE(bell_rings());
    control_->awake();
    dataplane_->wake_control();
    EXPECT_FALSE(bell_rings());
}

TEST_F(Channel, EverySleepIsRungForAnew) {
    for (int sleep = 0; sleep < 3; ++sleep) {
        ASSERT_TRUE(control_->prepare_to_sleep());
        dataplane_->wake_control();
        EXPECT_TRUE(bell_rings());
        control_->awake();
        EXPECT_FALSE(bell_rings());
    }
}

TEST_F(Channel, ControlDoesNotSleepOverAWaitingRecord) {
    ASSERT_TRUE(dataplane_->events(1).try_push(numbered_event(1)));
    EXPECT_FALSE(control_->prepare_to_sleep());
    EventRecord event{};
    ASSERT_EQ(control_->events(1).try_pop(event), PopResult::Got);
    const auto datagram = std::make_unique<DatagramRecord>();
    ASSERT_TRUE(dataplane_->punt().try_push(*datagram));
    EXPECT_FALSE(control_->prepare_to_sleep());
    auto out = std::make_unique<DatagramRecord>();
    ASSERT_EQ(control_->punt().try_pop(*out), PopResult::Got);
    EXPECT_TRUE(control_->prepare_to_sleep());
    control_->awake();
}

TEST_F(Channel, WakingADeadControlDoesNotHarm) {
    ASSERT_TRUE(control_->prepare_to_sleep());
    dataplane_->close_control_doorbell();
    control_.reset();
    dataplane_->wake_control();
}

TEST_F(Channel, ControlsHeartbeatArrives) {
    EXPECT_EQ(dataplane_->control_heartbeat_ns(), 0U);
    control_->beat(Instant{std::chrono::seconds{5}});
    EXPECT_EQ(dataplane_->control_heartbeat_ns(), 5'000'000'000U);
}

// ---------------------------------------------------------------------------------------------------
// protection

TEST_F(Channel, ControlCannotGetWriteAccessToWhatTheDataplaneWrites) {
    for (const int fd : {stats_->fd(), dataplane_->up_fd()}) {
        EXPECT_EQ(::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
        EXPECT_EQ(::pwrite(fd, "x", 1, 0), -1);
        EXPECT_EQ(::fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096), -1);
        void* const mapped = ::mmap(nullptr, 4096, PROT_READ, MAP_SHARED, fd, 0);
        ASSERT_NE(mapped, MAP_FAILED);
        EXPECT_EQ(::mprotect(mapped, 4096, PROT_READ | PROT_WRITE), -1);
        ::munmap(mapped, 4096);
    }
}

TEST_F(Channel, NobodyCanChangeTheSizeOfARegion) {
    for (const int fd : {stats_->fd(), dataplane_->up_fd(), dataplane_->down_fd()}) {
        EXPECT_EQ(::ftruncate(fd, 0), -1);
        EXPECT_EQ(::ftruncate(fd, 1 << 30), -1);
        EXPECT_EQ(::fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
    }
}

TEST_F(Channel, ClosingWipesKeysNobodyConsumed) {
    const UniqueFd down = copy_of(dataplane_->down_fd());
    struct stat status{};
    ASSERT_EQ(::fstat(down.get(), &status), 0);
    std::vector<std::uint8_t> content(static_cast<std::size_t>(status.st_size));
    const auto holds_key = [&] {
        EXPECT_EQ(::pread(down.get(), content.data(), content.size(), 0), status.st_size);
        return std::count(content.begin(), content.end(), 0xee) > 0;
    };
    CommandRecord command{};
    std::memset(command.install_sa.key, 0xee, sizeof command.install_sa.key);
    ASSERT_TRUE(control_->commands(0).try_push(command));
    EXPECT_TRUE(holds_key());
    control_.reset();
    EXPECT_TRUE(holds_key());
    dataplane_.reset();
    EXPECT_FALSE(holds_key());
}

TEST_F(Channel, ABrokenHousekeeperRingIsReported) {
    EXPECT_FALSE(dataplane_->housekeeper_rings_broken());
    // What a hostile control can do: write anywhere into `down`.
    struct stat status{};
    ASSERT_EQ(::fstat(dataplane_->down_fd(), &status), 0);
    const auto size = static_cast<std::size_t>(status.st_size);
    void* const down =
        ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, dataplane_->down_fd(), 0);
    ASSERT_NE(down, MAP_FAILED);
    std::memset(down, 0xff, size);
    CommandRecord command{};
    EXPECT_EQ(dataplane_->housekeeper_commands().try_pop(command), PopResult::Broken);
    EXPECT_EQ(dataplane_->commands(1).try_pop(command), PopResult::Broken);
    auto datagram = std::make_unique<DatagramRecord>();
    EXPECT_EQ(dataplane_->inject().try_pop(*datagram), PopResult::Broken);
    EXPECT_TRUE(dataplane_->housekeeper_rings_broken());
    EXPECT_EQ(dataplane_->events(0).room(), 0U);
    dataplane_->wake_control();
    ::munmap(down, size);
}

// ---------------------------------------------------------------------------------------------------
// configuration and headers

TEST(ChannelConfig, NamesTheNumberOutOfBounds) {
    const auto refused = [](auto change) {
        ChannelConfig config;
        change(config);
        const Status status = check(config);
        return status ? std::string{"accepted"} : status.error().text;
    };
    EXPECT_EQ(refused([](ChannelConfig&) {}), "accepted");
    EXPECT_EQ(refused([](ChannelConfig& config) { config.workers = 0; }),
              "number of workers is 0, not 1 to 16");
    EXPECT_THAT(refused([](ChannelConfig& config) { config.workers = 17; }), HasSubstr("is 17"));
    EXPECT_THAT(refused([](ChannelConfig& config) { config.max_sas = 0; }), HasSubstr("SAs"));
    EXPECT_THAT(refused([](ChannelConfig& config) { config.max_sas = kMaxSaSlots + 1; }),
                HasSubstr("SAs"));
    EXPECT_THAT(refused([](ChannelConfig& config) { config.max_policies = 0; }),
                HasSubstr("policies"));
    EXPECT_THAT(refused([](ChannelConfig& config) { config.command_slots = 1000; }),
                HasSubstr("command ring is 1000, not a power of two"));
    EXPECT_THAT(refused([](ChannelConfig& config) { config.event_slots = 0; }),
                HasSubstr("event ring"));
    EXPECT_THAT(refused([](ChannelConfig& config) { config.punt_slots = 3; }),
                HasSubstr("punt ring"));
    EXPECT_THAT(refused([](ChannelConfig& config) { config.inject_slots = 1 << 20; }),
                HasSubstr("inject ring"));
    EXPECT_THAT(refused([](ChannelConfig& config) { config.port_names.resize(65); }),
                HasSubstr("ports"));
    EXPECT_THAT(refused([](ChannelConfig& config) { config.port_names = {std::string(48, 'x')}; }),
                HasSubstr("longer than 47"));
}

TEST(ChannelLayout, PartsNeitherOverlapNorShareCacheLines) {
    const ChannelLayout layout = lay_out(small_config());
    std::vector<std::pair<std::size_t, std::size_t>> down;
    std::vector<std::pair<std::size_t, std::size_t>> up;
    const auto collect = [](auto& producer, auto& consumer, const RingPlace& ring, auto slots) {
        producer.emplace_back(ring.tail, sizeof(RingIndex));
        producer.emplace_back(ring.slots, slots);
        consumer.emplace_back(ring.head, sizeof(RingIndex));
    };
    down.emplace_back(0, sizeof(RegionHeader));
    up.emplace_back(0, sizeof(RegionHeader));
    down.emplace_back(layout.control_block, sizeof(ControlBlock));
    for (const RingPlace& ring : layout.commands)
        collect(down, up, ring, slots_bytes<CommandRecord>(ring.capacity));
    for (const RingPlace& ring : layout.events)
        collect(up, down, ring, slots_bytes<EventRecord>(ring.capacity));
    collect(up, down, layout.punt, slots_bytes<DatagramRecord>(layout.punt.capacity));
    collect(down, up, layout.inject, slots_bytes<DatagramRecord>(layout.inject.capacity));
    const auto expect_apart = [](auto& parts, std::size_t end) {
        std::sort(parts.begin(), parts.end());
        for (std::size_t index = 0; index < parts.size(); ++index) {
            EXPECT_EQ(parts[index].first % 128, 0U);
            const std::size_t limit = index + 1 < parts.size() ? parts[index + 1].first : end;
            EXPECT_LE(parts[index].first + parts[index].second, limit);
        }
    };
    expect_apart(down, layout.down_bytes);
    expect_apart(up, layout.up_bytes);
}

TEST(ChannelLayout, TheLargestConfigFitsTheBounds) {
    const ChannelLayout layout = lay_out({.workers = kMaxWorkers,
                                          .max_sas = kMaxSaSlots,
                                          .max_policies = kMaxPolicies,
                                          .command_slots = kMaxRingSlots,
                                          .event_slots = kMaxRingSlots,
                                          .punt_slots = kMaxRingSlots,
                                          .inject_slots = kMaxRingSlots,
                                          .port_names = std::vector<std::string>(kMaxPorts)});
    EXPECT_LE(layout.stats_bytes, kMaxRegionBytes);
    EXPECT_LE(layout.up_bytes, kMaxRegionBytes);
    EXPECT_LE(layout.down_bytes, kMaxRegionBytes);
}

RegionHeader sound_header() {
    return make_header(RegionKind::Up, small_config(), lay_out(small_config()).up_bytes, 0x1234, 1);
}

TEST(RegionHeader, IsAcceptedAsMade) {
    const RegionHeader header = sound_header();
    const auto config = check_header(header, RegionKind::Up, header.size_bytes);
    ASSERT_TRUE(config) << config.error().text;
    EXPECT_EQ(config->port_names.size(), 2U);
    EXPECT_EQ(config->max_sas, 8U);
}

TEST(RegionHeader, OfAnotherVersionIsRefusedWithBothNumbers) {
    RegionHeader header = sound_header();
    header.layout_version = 77;
    const auto config = check_header(header, RegionKind::Up, header.size_bytes);
    ASSERT_FALSE(config);
    EXPECT_EQ(config.error().code, ErrorCode::Unsupported);
    EXPECT_THAT(config.error().text, HasSubstr("version 77"));
    EXPECT_THAT(config.error().text, HasSubstr("version " + std::to_string(kLayoutVersion)));
}

TEST(RegionHeader, OfAnotherKindOrSizeIsRefused) {
    const RegionHeader header = sound_header();
    EXPECT_FALSE(check_header(header, RegionKind::Down, header.size_bytes));
    EXPECT_FALSE(check_header(header, RegionKind::Up, header.size_bytes - 1));
    EXPECT_FALSE(check_header(header, RegionKind::Up, header.size_bytes + 4096));
}

/// Changes every 32-bit number in turn. What is not a number to be checked stays free.
TEST(RegionHeader, WithAnyNumberChangedIsRefused) {
    const RegionHeader sound = sound_header();
    constexpr std::size_t kWords = sizeof(RegionHeader) / sizeof(std::uint32_t);
    constexpr std::array kFree{offsetof(RegionHeader, boot_id),
                               offsetof(RegionHeader, boot_id) + 4,
                               offsetof(RegionHeader, generation),
                               offsetof(RegionHeader, generation) + 4,
                               offsetof(RegionHeader, dataplane_pid),
                               // these two size only the stats region
                               offsetof(RegionHeader, max_sas),
                               offsetof(RegionHeader, max_policies),
                               offsetof(RegionHeader, ports)};
    for (std::size_t word = 0; word < kWords; ++word) {
        const std::size_t offset = word * sizeof(std::uint32_t);
        if (std::find(kFree.begin(), kFree.end(), offset) != kFree.end())
            continue;
        if (offset >= offsetof(RegionHeader, ports) + sizeof(std::uint32_t))
            continue; // padding
        for (const std::uint32_t flipped : {1U, 0x80000000U, 0xffffffffU}) {
            std::array<std::uint32_t, kWords> words{};
            std::memcpy(words.data(), &sound, sizeof sound);
            words[word] ^= flipped;
            RegionHeader changed;
            std::memcpy(&changed, words.data(), sizeof changed);
            EXPECT_FALSE(check_header(changed, RegionKind::Up, sound.size_bytes))
                << "offset " << offset << " flipped by " << flipped;
        }
    }
}

TEST(RegionHeader, WithAbsurdCountsIsRefusedBeforeAnythingIsSizedByThem) {
    for (auto field : {&RegionHeader::workers,
                       &RegionHeader::max_sas,
                       &RegionHeader::max_policies,
                       &RegionHeader::ports,
                       &RegionHeader::command_slots,
                       &RegionHeader::punt_slots}) {
        RegionHeader header = sound_header();
        header.*field = 0xffffffff;
        EXPECT_FALSE(check_header(header, RegionKind::Up, header.size_bytes));
    }
}

TEST_F(Channel, RegionsOfDifferentRunsAreRefusedTogether) {
    auto other_stats = DataplaneStats::create(small_config(), rng_);
    ASSERT_TRUE(other_stats);
    ChannelFds fds = fds_of(*dataplane_);
    fds.stats = copy_of(other_stats->fd());
    const auto attached = ControlChannel::attach(std::move(fds));
    ASSERT_FALSE(attached);
    EXPECT_THAT(attached.error().text, HasSubstr("do not belong together"));
}

TEST_F(Channel, UnsealedOrForeignDescriptorsAreRefused) {
    ChannelFds fds = fds_of(*dataplane_);
    fds.up = UniqueFd{::memfd_create("foreign", MFD_CLOEXEC | MFD_ALLOW_SEALING)};
    ASSERT_EQ(::ftruncate(fds.up.get(), 1 << 20), 0);
    EXPECT_FALSE(ControlChannel::attach(std::move(fds)));
    fds = fds_of(*dataplane_);
    fds.down = UniqueFd{::open("/dev/null", O_RDWR | O_CLOEXEC)};
    EXPECT_FALSE(ControlChannel::attach(std::move(fds)));
    fds = fds_of(*dataplane_);
    std::swap(fds.up, fds.stats);
    EXPECT_FALSE(ControlChannel::attach(std::move(fds)));
}

TEST(DataplaneStats, RefusesAConfigOutOfBounds) {
    SystemRng rng;
    EXPECT_FALSE(DataplaneStats::create({.workers = 99}, rng));
}

} // namespace
} // namespace adit::ipc

// SPDX-License-Identifier: Apache-2.0
// The installer against the dataplane's end of a real channel: which record goes to which worker.
#include "control/sa/installer.h"

#include <future>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

namespace adit::sa {
namespace {

constexpr std::uint32_t kWorkers = 2;
constexpr std::uint32_t kSlots = 4;

class InstallerTest : public ::testing::Test {
  protected:
    void SetUp() override {
        char name[] = "/tmp/adit-installer-XXXXXX";
        ASSERT_NE(::mkdtemp(name), nullptr);
        folder = name;
        auto listening = ipc::HandshakeServer::listen({.path = path()});
        ASSERT_TRUE(listening) << listening.error().text;
        server.emplace(std::move(*listening));
        auto serving = std::async(std::launch::async, [this] { serve(); });
        client.emplace(loop, log, path(), handlers());
        installer.emplace(*client, db, rng, [this](ike::InstallFinished result) {
            finished.push_back(std::move(result));
        });
        client->start();
        serving.get();
        ASSERT_TRUE(client->attached());
        installer->start_over(kWorkers, kSlots);
    }

    void TearDown() override {
        client.reset();
        server.reset();
        ::rmdir(folder.c_str());
    }

    [[nodiscard]] std::string path() const { return folder + "/dataplane.sock"; }

    static DataplaneClient::Handlers handlers() {
        return {.attached = [](bool) {},
                .lost = [] {},
                .event = [](const ipc::EventRecord&) {},
                .datagram = [](const ipc::DatagramRecord&) {}};
    }

    void serve() {
        pollfd waiting{.fd = server->listen_fd(), .events = POLLIN, .revents = 0};
        ASSERT_EQ(::poll(&waiting, 1, 10'000), 1);
        const auto peer = server->accept_control();
        ASSERT_TRUE(peer && *peer);
        auto made = ipc::DataplaneChannel::create(stats, 1);
        ASSERT_TRUE(made) << made.error().text;
        channel = std::move(*made);
        ASSERT_TRUE(server->welcome(stats, *channel));
    }

    static ipc::DataplaneStats make_stats() {
        SystemRng rng;
        auto made = ipc::DataplaneStats::create(
            {.workers = kWorkers, .max_sas = kSlots, .max_policies = 4, .port_names = {"p"}}, rng);
        ENSURE(made.has_value());
        return std::move(*made);
    }

    Spi allocate(std::uint32_t policy) {
        const std::optional<Spi> spi = installer->spis().allocate(PolicyId{policy});
        ENSURE(spi.has_value());
        return *spi;
    }

    void install(std::uint32_t sa, Spi own, bool inbound) {
        ike::InstallSaAction action;
        action.sa = SaId{sa};
        action.spi = inbound ? own : Spi{0xc0ffee01};
        action.inbound_spi = own;
        action.inbound = inbound;
        installer->install(std::move(action));
    }

    /// The next command of a worker.
    ipc::CommandRecord command(WorkerId worker) {
        ipc::CommandRecord record{};
        EXPECT_EQ(channel->commands(worker.value).try_pop(record), ipc::PopResult::Got);
        return record;
    }

    std::string folder;
    EventLoop loop = *EventLoop::open();
    Logger log;
    SystemRng rng;
    ipc::DataplaneStats stats = make_stats();
    std::unique_ptr<ipc::DataplaneChannel> channel;
    SaDb db{[](const InstalledSa&) -> const ipc::SaStats* { return nullptr; }};
    std::optional<ipc::HandshakeServer> server;
    std::optional<DataplaneClient> client;
    std::vector<ike::InstallFinished> finished;
    std::optional<Installer> installer;
};

TEST_F(InstallerTest, BothSasOfAPairGoToTheWorkerThatTheInboundSpiNames) {
    for (std::uint32_t policy = 0; policy < kWorkers; ++policy) {
        const Spi spi = allocate(policy);
        install(2001 + 2 * policy, spi, true);
        install(2002 + 2 * policy, spi, false);
        const ipc::CommandRecord inbound = command(spi_worker(spi));
        EXPECT_EQ(inbound.install_sa.spi, spi.value);
        EXPECT_EQ(inbound.install_sa.slot, spi_slot(spi));
        const ipc::CommandRecord outbound = command(spi_worker(spi));
        EXPECT_EQ(outbound.install_sa.sa_id, 2002 + 2 * policy);
        EXPECT_EQ(outbound.install_sa.slot, 0U) << "each worker has its own outbound slots";
    }
}

TEST_F(InstallerTest, ARemovalGoesWhereTheSaIs) {
    allocate(0);
    const Spi spi = allocate(1);
    ASSERT_EQ(spi_worker(spi), WorkerId{1});
    install(2001, spi, false);
    command(WorkerId{1});
    installer->remove({.sa = SaId{2001}, .spi = Spi{0xc0ffee01}, .inbound = false});
    EXPECT_EQ(command(WorkerId{1}).header.type,
              static_cast<std::uint16_t>(ipc::CommandType::RemoveSa));
    EXPECT_FALSE(channel->commands(0).ready());
}

TEST_F(InstallerTest, AdoptsWhatTheDatabaseKnowsAndSaysWhatIsMissing) {
    const Spi spi = make_spi(WorkerId{1}, 2, 77);
    db.add({SaId{2001}, spi, WorkerId{1}, 2, true, PolicyId{0}, {192, 0, 2, 1}});
    db.add({SaId{2002}, Spi{0xc0ffee01}, WorkerId{1}, 3, false, PolicyId{0}, {192, 0, 2, 1}});
    installer->resume(kWorkers, kSlots, {{spi, PolicyId{0}}});
    std::vector<SaId> missing;
    std::vector<std::pair<SaId, bool>> limits;
    bool done = false;
    installer->adopt_all(
        {.missing = [&](SaId sa) { missing.push_back(sa); },
         .limit_passed = [&](SaId sa, bool hard) { limits.emplace_back(sa, hard); },
         .done = [&] { done = true; }});
    for (int i = 0; i < 2; ++i) {
        const ipc::CommandRecord record = command(WorkerId{1});
        EXPECT_EQ(record.header.type, static_cast<std::uint16_t>(ipc::CommandType::AdoptSa));
        const bool inbound = record.adopt_sa.sa_id == 2001;
        EXPECT_EQ(record.adopt_sa.spi, inbound ? spi.value : 0xc0ffee01);
        EXPECT_EQ(record.adopt_sa.slot, inbound ? 2U : 3U);
        EXPECT_FALSE(done);
        ipc::EventRecord ack{};
        ack.ack.header.type = static_cast<std::uint16_t>(ipc::EventType::Ack);
        ack.ack.sequence = record.header.sequence;
        ack.ack.result =
            static_cast<std::uint16_t>(inbound ? ipc::AckResult::Ok : ipc::AckResult::NoSuchSa);
        ack.ack.detail = inbound ? std::uint32_t{ipc::kAdoptedPastSoftLimit} : 0U;
        ASSERT_TRUE(channel->events(1).try_push(ack));
        client->turn();
    }
    EXPECT_TRUE(done);
    EXPECT_EQ(missing, std::vector<SaId>{SaId{2002}});
    EXPECT_EQ(limits, (std::vector<std::pair<SaId, bool>>{{SaId{2001}, false}}));
    EXPECT_EQ(db.find(SaId{2002}), nullptr);
    // Its slot is free again; the inbound one is taken.
    install(2003, spi, false);
    EXPECT_EQ(command(WorkerId{1}).install_sa.sa_id, 2003U);
    for (unsigned i = 0; i + 1 < kWorkers * kSlots; ++i)
        allocate(i);
    EXPECT_FALSE(installer->spis().allocate(PolicyId{0}));
}

TEST_F(InstallerTest, AnSpiOfADataplaneThatIsGoneIsRefused) {
    allocate(0);
    const Spi spi = allocate(1);
    installer->start_over(1, kSlots); // the next one has fewer workers
    install(2001, spi, false);
    ASSERT_EQ(finished.size(), 1U);
    EXPECT_FALSE(finished[0].ok);
    EXPECT_FALSE(channel->commands(1).ready());
}

} // namespace
} // namespace adit::sa

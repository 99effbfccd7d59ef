// SPDX-License-Identifier: Apache-2.0
// Every packet of tests/vectors/own/esp_packets.json through real mbufs and the real inbound stage,
// on every instruction set this CPU has, native and UDP-encapsulated.
#include "tests/support/esp_fixture.h"
#include "tests/support/vectors.h"

#include <map>

namespace adit::dataplane {
namespace {

using test::EspWorld;
using test::Suite;

Suite suite_of(const std::string& name) {
    static const std::map<std::string, Suite> suites = {
        {"gcm128", {EspCipher::AesGcm128, EspMac::None}},
        {"gcm192", {EspCipher::AesGcm192, EspMac::None}},
        {"gcm256", {EspCipher::AesGcm256, EspMac::None}},
        {"cbc128-sha1", {EspCipher::AesCbc128, EspMac::HmacSha1_96}},
        {"cbc256-sha256", {EspCipher::AesCbc256, EspMac::HmacSha256_128}},
        {"cbc256-sha384", {EspCipher::AesCbc256, EspMac::HmacSha384_192}},
        {"cbc256-sha512", {EspCipher::AesCbc256, EspMac::HmacSha512_256}},
        {"null-sha256", {EspCipher::Null, EspMac::HmacSha256_128}},
    };
    return suites.at(name);
}

/// Reasons we may give for a verdict's word.
std::vector<DropReason> reasons_for(const std::string& reason) {
    if (reason == "icv")
        return {DropReason::EspIcv};
    if (reason == "short")
        return {DropReason::EspShort};
    if (reason == "length")
        return {DropReason::EspLength};
    if (reason == "padding")
        return {DropReason::EspPadding};
    if (reason == "inner")
        return {DropReason::EspInner, DropReason::EspSelector};
    if (reason.starts_with("dummy"))
        return {DropReason::EspDummy};
    // Sequence number zero: with ESN the receiver takes it for the next subspace, and the ICV
    // fails.
    return {DropReason::EspReplay, DropReason::EspIcv};
}

ipc::InstallSa install_record(const nlohmann::json& sa, Encapsulation form) {
    const Bytes spi_octets = test::unhex(sa, "spi");
    const Spi spi{load_be<std::uint32_t>(spi_octets.data())};
    auto record =
        EspWorld::record(ipc::Direction::Inbound, suite_of(sa.at("suite")), spi_slot(spi));
    const Bytes key = test::unhex(sa, "key");
    const Bytes mac_key = test::unhex(sa, "auth_key");
    EXPECT_EQ(key.size(), record.key_bytes);
    EXPECT_EQ(mac_key.size(), record.mac_key_bytes);
    record.spi = spi.value;
    std::ranges::copy(key, record.key);
    std::ranges::copy(mac_key, record.mac_key);
    if (sa.at("esn").get<bool>())
        record.flags = ipc::kSaExtendedSequence;
    if (form == Encapsulation::Udp)
        record.local_port = record.remote_port = 4500;
    return record;
}

class EspVectors : public test::OnEveryArch<test::EspFixture> {
  protected:
    /// One packet on a fresh SA.
    static void expect_verdict(EspWorld& world,
                               const ipc::InstallSa& record,
                               const nlohmann::json& sa,
                               const nlohmann::json& packet);
};

void EspVectors::expect_verdict(EspWorld& world,
                                const ipc::InstallSa& record,
                                const nlohmann::json& sa,
                                const nlohmann::json& packet) {
    const std::string why =
        sa.at("suite").get<std::string>() + ": " + packet.at("why").get<std::string>();
    const bool accept = packet.at("verdict") == "accept";
    const auto reason = packet.at("reason").get<std::string>();
    world.install(record);
    InboundSa& installed = *world.table.find_inbound(Spi{record.spi});
    const auto resume_at = sa.at("esn_high").get<std::uint64_t>() << 32;
    if (resume_at != 0)
        installed.window.resume_at(resume_at);
    for (ipc::Counter& counter : world.core->drops)
        counter.store(0);

    const auto left = receive(world, arrived(test::unhex(packet, "wire"), installed));
    if (accept) {
        ASSERT_EQ(left.size(), 1U) << why << ": " << world.reasons();
        EXPECT_EQ(left[0], test::unhex(packet, "inner")) << why;
        EXPECT_EQ(installed.window.highest(), packet.at("seq").get<std::uint64_t>()) << why;
    } else {
        EXPECT_TRUE(left.empty()) << why;
        EXPECT_EQ(world.dropped_in_all(), 1U) << why;
        std::uint64_t as_expected = 0;
        for (const DropReason expected : reasons_for(reason))
            as_expected += world.dropped(expected);
        EXPECT_EQ(as_expected, 1U) << why << ": " << world.reasons();
        const bool authentic =
            reason == "padding" || reason == "inner" || reason.starts_with("dummy");
        EXPECT_EQ(installed.window.highest(),
                  authentic ? packet.at("seq").get<std::uint64_t>() : resume_at)
            << why;
    }
    ipc::RemoveSa removal{};
    removal.sa_id = record.sa_id;
    removal.slot = record.slot;
    ASSERT_TRUE(world.table.remove(removal).ok());
}

TEST_P(EspVectors, GetTheirVerdict) {
    const auto file = test::load_json("own/esp_packets.json");
    unsigned packets = 0;
    for (const auto form : {Encapsulation::Native, Encapsulation::Udp}) {
        for (const auto& sa : file.at("sas")) {
            const auto record = install_record(sa, form);
            EspWorld world{GetParam(), spi_worker(Spi{record.spi})};
            for (const auto& packet : sa.at("packets")) {
                expect_verdict(world, record, sa, packet);
                ++packets;
            }
        }
    }
    EXPECT_EQ(packets, 2 * 728U);
}

INSTANTIATE_TEST_SUITE_P(EveryArch, EspVectors, ::testing::ValuesIn(test::kArchs), test::arch_name);

} // namespace
} // namespace adit::dataplane

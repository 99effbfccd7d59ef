// SPDX-License-Identifier: Apache-2.0
// How much of raw IPsec-MB speed do the ESP stages of one worker keep?
//
// Timed: esp_outbound or esp_inbound on bursts of 64 real mbufs, nothing else; packets are renewed
// outside the clock, inbound ones by really enciphering them, so that sequence numbers rise and the
// replay window works. Beside it, in the same run and taking turns: the library called directly on
// the same lengths by its best interface (GCM: one-shot calls; CBC and HMAC: synchronous bursts of
// 128).
//
//   bench-esp [--core N] [--repeats N] [--sas N] [-- EAL arguments]
#include "common/wire/ipv4.h"
#include "dataplane/crypto_mb.h"
#include "dataplane/packet.h"
#include "dataplane/stages/esp_inbound.h"
#include "dataplane/stages/esp_outbound.h"
#include "perf/harness.h"

#include <array>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <intel-ipsec-mb.h>
#include <memory>
#include <random>
#include <rte_eal.h>
#include <string>
#include <string_view>
#include <vector>

namespace adit::perf {
namespace {

using namespace adit::dataplane;

constexpr unsigned kPackets = 512; // in flight: more than L1 holds, as in a pool that goes round
constexpr unsigned kRawBurst = 128;
constexpr std::uint64_t kSampleNs = 20'000'000;
constexpr WorkerId kWorker{0};

struct Options {
    unsigned core{1};
    unsigned repeats{9};
    std::uint32_t sas{1};
    std::vector<std::string> eal;
};

struct Suite {
    const char* name;
    EspCipher cipher;
    EspMac mac;
};

constexpr Suite kSuites[] = {
    {"AES-128-GCM",        EspCipher::AesGcm128, EspMac::None          },
    {"AES-256-GCM",        EspCipher::AesGcm256, EspMac::None          },
    {"AES-128-CBC-SHA1",   EspCipher::AesCbc128, EspMac::HmacSha1_96   },
    {"AES-256-CBC-SHA256", EspCipher::AesCbc256, EspMac::HmacSha256_128},
};

/// Octets of the inner packet, one per packet in flight.
struct Load {
    const char* name;
    std::array<std::uint16_t, kPackets> octets;
    double mean;
};

Load uniform(const char* name, std::uint16_t octets) {
    Load load{.name = name, .octets = {}, .mean = static_cast<double>(octets)};
    load.octets.fill(octets);
    return load;
}

/// 7 : 4 : 1 of 64, 576 and 1400 octets, shuffled.
Load imix() {
    constexpr std::uint16_t kPattern[] = {64, 64, 64, 64, 64, 64, 64, 576, 576, 576, 576, 1400};
    Load load{.name = "IMIX", .octets = {}, .mean = 0};
    for (unsigned i = 0; i < kPackets; ++i)
        load.octets[i] = kPattern[i % std::size(kPattern)];
    std::shuffle(load.octets.begin(), load.octets.end(), std::mt19937{1});
    for (const std::uint16_t octets : load.octets)
        load.mean += octets;
    load.mean /= kPackets;
    return load;
}

// ---------------------------------------------------------------------------------------------------
// the stages

/// One worker's ESP world with `sas` pairs: what it sends by slot n it receives by slot n.
class Stages {
  public:
    Stages(const Suite& suite, std::uint32_t sas, rte_mempool* pool)
        : inbound_stats_(std::make_unique<ipc::SaStats[]>(sas)),
          outbound_stats_(std::make_unique<ipc::SaStats[]>(sas)),
          policy_stats_(std::make_unique<ipc::PolicyStats[]>(sas)),
          crypto_(must(CryptoMb::create(CryptoArch::Auto))),
          table_(must(SaTable::create(
              {
                  .worker = kWorker,
                  .max_sas = sas,
                  .max_policies = sas,
                  .stats = {inbound_stats_.get(), outbound_stats_.get(), policy_stats_.get()}
    },
              *crypto_))),
          context_{.sas = table_,
                   .crypto = *crypto_,
                   .drops = drops_,
                   .events = *events_,
                   .notices = notices_,
                   .pool = pool,
                   .now_ns = 1} {
        for (std::uint32_t slot = 0; slot < sas; ++slot)
            install(suite, slot);
        std::mt19937 random{7};
        for (unsigned i = 0; i < kPackets; ++i) {
            packets_[i] = rte_pktmbuf_alloc(pool);
            ENSURE(packets_[i] != nullptr);
            slots_[i] = static_cast<std::uint32_t>(random() % sas);
        }
    }

    ~Stages() {
        for (rte_mbuf* packet : packets_)
            rte_pktmbuf_free(packet);
    }

    Stages(const Stages&) = delete;
    Stages& operator=(const Stages&) = delete;

    /// Nanoseconds per packet in esp_outbound.
    double outbound(const Load& load, double per_ns) {
        return sample(
            per_ns, [&] { renew(load); }, [&](Burst& burst) { esp_outbound(burst, context_); });
    }

    double inbound(const Load& load, double per_ns) {
        return sample(
            per_ns,
            [&] {
                renew(load);
                for_each_burst([&](Burst& burst) { esp_outbound(burst, context_); });
                for (rte_mbuf* packet : packets_)
                    deliver(packet);
            },
            [&](Burst& burst) { esp_inbound(burst, context_); });
    }

    [[nodiscard]] const char* arch() const { return crypto_->arch_name(); }

  private:
    template <class T> static T must(Result<T> result) {
        if (!result) {
            std::fprintf(stderr, "bench-esp: %s\n", result.error().text.c_str());
            std::exit(1);
        }
        return std::move(*result);
    }

    void install(const Suite& suite, std::uint32_t slot) {
        ipc::InstallSa sa{};
        sa.sa_id = 1 + slot;
        sa.spi = make_spi(kWorker, slot, 1).value;
        sa.slot = slot;
        sa.policy = slot;
        sa.local_address = 0xc0000201;
        sa.remote_address = 0xc0000202;
        sa.cipher = static_cast<std::uint8_t>(suite.cipher);
        sa.mac = static_cast<std::uint8_t>(suite.mac);
        sa.flags = 0;
        sa.key_bytes =
            static_cast<std::uint8_t>(info(suite.cipher).key_bytes + info(suite.cipher).salt_bytes);
        sa.mac_key_bytes = info(suite.mac).key_bytes;
        sa.replay_window = 1024; // the default of 64 would refuse nothing here either
        sa.selector = {.local_last = ~0U,
                       .remote_last = ~0U,
                       .local_port_last = 0xffff,
                       .remote_port_last = 0xffff};
        std::memset(sa.key, static_cast<int>(slot & 0xff), sa.key_bytes);
        ENSURE(table_.install(sa).ok());
        sa.direction = static_cast<std::uint8_t>(ipc::Direction::Outbound);
        std::swap(sa.local_address, sa.remote_address);
        sa.first_sequence = 1;
        ENSURE(table_.install(sa).ok());
    }

    void renew(const Load& load) {
        for (unsigned i = 0; i < kPackets; ++i) {
            rte_mbuf* packet = packets_[i];
            packet->data_off = RTE_PKTMBUF_HEADROOM + kHeadroomBytes;
            packet->data_len = load.octets[i];
            packet->pkt_len = load.octets[i];
            wire::Ipv4Header{data(packet)}.write({.total_bytes = load.octets[i],
                                                  .protocol = wire::kProtocolUdp,
                                                  .source = 0x0a010203,
                                                  .destination = 0x0a020304});
            meta(packet).flags = 0;
            meta(packet).sa.outbound = table_.outbound_for_policy(slots_[i]);
        }
    }

    static void deliver(rte_mbuf* packet) {
        PacketMeta& about = meta(packet);
        about.outer_source = about.source;
        about.outer_destination = about.destination;
        about.outer_tos = 0;
        rte_pktmbuf_adj(packet, kOuterIpv4Bytes);
    }

    template <class Work> void for_each_burst(const Work& work) {
        for (unsigned first = 0; first < kPackets; first += kRxBurst) {
            Burst burst;
            burst.count = kRxBurst;
            std::memcpy(burst.packets, &packets_[first], sizeof(rte_mbuf*) * kRxBurst);
            work(burst);
            ENSURE(burst.count == kRxBurst); // a benchmark of drops would look splendid
        }
    }

    template <class Prepare, class Work>
    double sample(double per_ns, const Prepare& prepare, const Work& work) {
        std::uint64_t spent = 0;
        std::uint64_t packets = 0;
        while (static_cast<double>(spent) < per_ns * kSampleNs) {
            prepare();
            const std::uint64_t start = ticks();
            for_each_burst(work);
            spent += ticks() - start;
            packets += kPackets;
        }
        return static_cast<double>(spent) / per_ns / static_cast<double>(packets);
    }

    std::unique_ptr<ipc::SaStats[]> inbound_stats_;
    std::unique_ptr<ipc::SaStats[]> outbound_stats_;
    std::unique_ptr<ipc::PolicyStats[]> policy_stats_;
    std::unique_ptr<ipc::CoreStats> core_ = std::make_unique<ipc::CoreStats>();
    std::unique_ptr<EventQueue> events_ = std::make_unique<EventQueue>();
    Drops drops_{*core_};
    NoticeLimiter notices_;
    std::unique_ptr<CryptoMb> crypto_;
    SaTable table_;
    EspContext context_;
    std::array<rte_mbuf*, kPackets> packets_;
    std::array<std::uint32_t, kPackets> slots_;
};

// ---------------------------------------------------------------------------------------------------
// the library alone

/// Same lengths, same number of buffers, same number of keys; ICV and ciphertext are not looked at.
class Raw {
  public:
    Raw(const Suite& suite, std::uint32_t sas)
        : suite_(suite), layout_(EspLayout::of(suite.cipher, suite.mac)), manager_(alloc_mb_mgr(0)),
          keys_(sas), buffers_(std::make_unique<Buffer[]>(kPackets)) {
        init_mb_mgr_auto(manager_, nullptr);
        const std::uint8_t zeros[64]{};
        for (Keys& keys : keys_) {
            if (suite.cipher == EspCipher::AesGcm128)
                IMB_AES128_GCM_PRE(manager_, zeros, &keys.gcm);
            else if (suite.cipher == EspCipher::AesGcm256)
                IMB_AES256_GCM_PRE(manager_, zeros, &keys.gcm);
            else if (suite.cipher == EspCipher::AesCbc128)
                IMB_AES_KEYEXP_128(manager_, zeros, keys.cbc, keys.cbc + 240);
            else
                IMB_AES_KEYEXP_256(manager_, zeros, keys.cbc, keys.cbc + 240);
        }
        std::mt19937 random{7};
        for (std::uint32_t& slot : slots_)
            slot = static_cast<std::uint32_t>(random() % sas);
    }

    ~Raw() { free_mb_mgr(manager_); }

    Raw(const Raw&) = delete;
    Raw& operator=(const Raw&) = delete;

    double run(const Load& load, IMB_CIPHER_DIRECTION direction, double per_ns) {
        std::uint64_t spent = 0;
        std::uint64_t packets = 0;
        while (static_cast<double>(spent) < per_ns * kSampleNs) {
            const std::uint64_t start = ticks();
            if (is_combined_mode(suite_.cipher))
                gcm(load, direction);
            else
                cbc(load, direction);
            spent += ticks() - start;
            packets += kPackets;
        }
        return static_cast<double>(spent) / per_ns / static_cast<double>(packets);
    }

  private:
    struct alignas(64) Buffer { // as far apart as mbufs of a pool
        std::uint8_t octets[2368];
    };

    union alignas(64) Keys {
        gcm_key_data gcm;
        std::uint8_t cbc[1088];
    };

    void gcm(const Load& load, IMB_CIPHER_DIRECTION direction) {
        const bool small = suite_.cipher == EspCipher::AesGcm128;
        const aes_gcm_enc_dec_t function =
            direction == IMB_DIR_ENCRYPT ? (small ? manager_->gcm128_enc : manager_->gcm256_enc)
                                         : (small ? manager_->gcm128_dec : manager_->gcm256_dec);
        gcm_context_data context;
        for (unsigned i = 0; i < kPackets; ++i) {
            std::uint8_t* at = buffers_[i].octets;
            const std::uint32_t length = layout_.ciphertext(load.octets[i]);
            std::uint8_t* text = at + 16;
            function(
                &keys_[slots_[i]].gcm, &context, text, text, length, at, at, 8, text + length, 16);
        }
    }

    void cbc(const Load& load, IMB_CIPHER_DIRECTION direction) {
        for (unsigned first = 0; first < kPackets; first += kRawBurst) {
            fill(load, first, direction);
            if (direction == IMB_DIR_DECRYPT)
                hash();
            IMB_SUBMIT_CIPHER_BURST_NOCHECK(
                manager_,
                jobs_.data(),
                kRawBurst,
                IMB_CIPHER_CBC,
                direction,
                static_cast<IMB_KEY_SIZE_BYTES>(info(suite_.cipher).key_bytes));
            if (direction == IMB_DIR_ENCRYPT)
                hash();
        }
    }

    void fill(const Load& load, unsigned first, IMB_CIPHER_DIRECTION direction) {
        for (unsigned i = 0; i < kRawBurst; ++i) {
            std::uint8_t* at = buffers_[first + i].octets;
            const std::uint8_t* keys = keys_[slots_[first + i]].cbc;
            const std::uint32_t length = layout_.ciphertext(load.octets[first + i]);
            IMB_JOB& job = jobs_[i];
            job.enc_keys = keys;
            job.dec_keys = keys + 240;
            job.key_len_in_bytes = info(suite_.cipher).key_bytes;
            job.src = at;
            job.dst = at + 24;
            job.cipher_start_src_offset_in_bytes = 24;
            job.msg_len_to_cipher_in_bytes = length;
            job.hash_start_src_offset_in_bytes = 0;
            job.msg_len_to_hash_in_bytes = length + 24;
            job.iv = at + 8;
            job.iv_len_in_bytes = 16;
            job.auth_tag_output = at + 24 + length;
            job.auth_tag_output_len_in_bytes = layout_.icv;
            job.u.HMAC._hashed_auth_key_xor_ipad = keys + 512;
            job.u.HMAC._hashed_auth_key_xor_opad = keys + 576;
            job.cipher_mode = IMB_CIPHER_CBC;
            job.cipher_direction = direction;
            job.hash_alg = algorithm();
        }
    }

    void hash() { IMB_SUBMIT_HASH_BURST_NOCHECK(manager_, jobs_.data(), kRawBurst, algorithm()); }

    [[nodiscard]] IMB_HASH_ALG algorithm() const {
        return suite_.mac == EspMac::HmacSha1_96 ? IMB_AUTH_HMAC_SHA_1 : IMB_AUTH_HMAC_SHA_256;
    }

    Suite suite_;
    EspLayout layout_;
    IMB_MGR* manager_;
    std::vector<Keys> keys_;
    std::unique_ptr<Buffer[]> buffers_;
    std::array<IMB_JOB, kRawBurst> jobs_{};
    std::array<std::uint32_t, kPackets> slots_;
};

// ---------------------------------------------------------------------------------------------------

struct Row {
    const char* suite;
    const char* load;
    const char* direction;
    double mean_octets;
    Summary stage, raw; // ns per packet
};

Row measure(Stages& stages,
            Raw& raw,
            const Suite& suite,
            const Load& load,
            bool out,
            const Options& options,
            double per_ns) {
    std::vector<double> stage_ns, raw_ns;
    for (unsigned round = 0; round <= options.repeats; ++round) { // the first one warms up
        const double stage = out ? stages.outbound(load, per_ns) : stages.inbound(load, per_ns);
        const double library = raw.run(load, out ? IMB_DIR_ENCRYPT : IMB_DIR_DECRYPT, per_ns);
        if (round == 0)
            continue;
        stage_ns.push_back(stage);
        raw_ns.push_back(library);
    }
    return {.suite = suite.name,
            .load = load.name,
            .direction = out ? "out" : "in",
            .mean_octets = load.mean,
            .stage = summarize(stage_ns),
            .raw = summarize(raw_ns)};
}

void print(const Row& row) {
    std::printf("%-18s %-4s %-4s %8.1f %5.0f%% %8.2f %8.2f %8.1f %5.0f%% %6.0f%% %6.0f%%\n",
                row.suite,
                row.load,
                row.direction,
                row.stage.median,
                row.stage.spread_percent(),
                1000 / row.stage.median,
                row.mean_octets * 8 / row.stage.median,
                row.raw.median,
                row.raw.spread_percent(),
                row.raw.median / row.stage.median * 100,
                row.raw.min / row.stage.min * 100);
    std::fflush(stdout);
}

void print_json(const std::vector<Row>& rows, const Options& options, const char* arch) {
    std::printf("{\"bench\":\"esp\",\"arch\":\"%s\",\"sas\":%u,\"burst\":%u,\"rows\":[",
                arch,
                options.sas,
                kRxBurst);
    for (std::size_t i = 0; i < rows.size(); ++i)
        std::printf("%s{\"suite\":\"%s\",\"load\":\"%s\",\"direction\":\"%s\",%s,%s}",
                    i == 0 ? "" : ",",
                    rows[i].suite,
                    rows[i].load,
                    rows[i].direction,
                    json("stage_ns", rows[i].stage).c_str(),
                    json("raw_ns", rows[i].raw).c_str());
    std::printf("]}\n");
}

Options parse(int argc, char** argv) {
    Options options;
    int i = 1;
    for (; i + 1 < argc && std::string_view{argv[i]} != "--"; i += 2) {
        const std::string_view name{argv[i]};
        const auto value = static_cast<unsigned>(std::strtoul(argv[i + 1], nullptr, 10));
        if (name == "--core")
            options.core = value;
        else if (name == "--repeats" && value >= 5)
            options.repeats = value;
        else if (name == "--sas" && value >= 1 && value <= kMaxSaSlots)
            options.sas = value;
        else
            break;
    }
    if (i < argc && std::string_view{argv[i]} == "--")
        options.eal.assign(argv + i + 1, argv + argc);
    else if (i < argc) {
        std::fprintf(stderr,
                     "usage: bench-esp [--core N] [--repeats N, at least 5] [--sas N] "
                     "[-- EAL arguments]\n");
        std::exit(2);
    }
    if (options.eal.empty())
        options.eal = {"--no-huge", "--no-pci", "--no-shconf", "--no-telemetry", "-m", "128"};
    return options;
}

rte_mempool* open_pool(const Options& options) {
    std::vector<std::string> arguments{"bench-esp", "-l", std::to_string(options.core)};
    arguments.insert(arguments.end(), options.eal.begin(), options.eal.end());
    std::vector<char*> argv;
    for (std::string& argument : arguments)
        argv.push_back(argument.data());
    if (rte_eal_init(static_cast<int>(argv.size()), argv.data()) < 0)
        return nullptr;
    return rte_pktmbuf_pool_create("bench",
                                   kPackets + 63,
                                   0,
                                   kPacketMetaBytes,
                                   RTE_PKTMBUF_HEADROOM + kHeadroomBytes + 1536 + kTailroomBytes,
                                   SOCKET_ID_ANY);
}

int run(int argc, char** argv) {
    const Options options = parse(argc, argv);
    rte_mempool* pool = open_pool(options); // pins this thread to the core
    if (pool == nullptr) {
        std::fprintf(stderr, "bench-esp: EAL or its packet pool did not start\n");
        return 1;
    }
    const double per_ns = ticks_per_ns();
    const Load loads[] = {uniform("64", 64), uniform("512", 512), uniform("1400", 1400), imix()};
    std::printf("%-18s %-4s %-4s %8s %6s %8s %8s %8s %6s %7s %7s\n",
                "suite",
                "size",
                "dir",
                "ns/pkt",
                "sprd",
                "Mpps",
                "Gbps",
                "raw ns",
                "sprd",
                "median",
                "best");
    std::vector<Row> rows;
    std::string arch;
    for (const Suite& suite : kSuites) {
        Stages stages{suite, options.sas, pool};
        Raw raw{suite, options.sas};
        arch = stages.arch();
        for (const Load& load : loads) {
            for (const bool out : {true, false}) {
                rows.push_back(measure(stages, raw, suite, load, out, options, per_ns));
                print(rows.back());
            }
        }
    }
    print_json(rows, options, arch.c_str());
    rte_mempool_free(pool);
    rte_eal_cleanup();
    return 0;
}

} // namespace
} // namespace adit::perf

int main(int argc, char** argv) {
    return adit::perf::run(argc, argv);
}

// SPDX-License-Identifier: Apache-2.0
// One engine on two kernel UDP sockets, for trying it against other implementations before, or
// without, the dataplane: what ESP needs is only printed. Built on request; not installed.
//
//   ike-udp-driver --local 10.9.0.1 --peer 10.9.0.2 --psk SECRET [--initiate] [--cipher aes256]
//                  [--hash sha256] [--group 14] [--pfs 14] [--esp gcm128] [--flows 1]
//                  [--local-net 10.1.0.0/16] [--remote-net 10.2.0.0/16] [--seconds 20] [--keys
//                  FILE]
//                  [--delete-after SECONDS] [--life SECONDS] [--ike-life SECONDS] [--dpd SECONDS]
//
// Threading: one thread. Ends with status 0 when a child SA stood at some time.
#include "control/ike/engine.h"

#include <algorithm>
#include <arpa/inet.h>
#include <cstdio>
#include <cstring>
#include <map>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

namespace {

using namespace adit;
using namespace adit::ike;

class Spis final : public SpiAllocator {
  public:
    std::optional<Spi> allocate(PolicyId) override { return Spi{SystemRng{}.u32() | 0x1000}; }

    void release(Spi) override {}
};

/// The driver's entries are static: nobody claims anything.
class NoPolicies final : public PolicyAllocator {
  public:
    std::optional<PolicyId> allocate() override { return std::nullopt; }

    void release(PolicyId) override {}
};

std::map<std::string, std::string> parse_options(int argc, char** argv) {
    std::map<std::string, std::string> options;
    for (int i = 1; i < argc; ++i) {
        const std::string word = argv[i];
        const bool has_value = i + 1 < argc && std::string_view{argv[i + 1]}.substr(0, 2) != "--";
        options[word.substr(2)] = has_value ? argv[++i] : "yes";
    }
    return options;
}

int open_socket(Ipv4Address address, std::uint16_t port) {
    const int fd = ::socket(AF_INET, SOCK_DGRAM, 0);
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_port = htons(port);
    name.sin_addr.s_addr = htonl(address.value);
    if (fd < 0 || ::bind(fd, reinterpret_cast<sockaddr*>(&name), sizeof name) != 0) {
        std::perror("bind");
        std::exit(2);
    }
    return fd;
}

class Driver {
  public:
    Driver(std::map<std::string, std::string> options, const EngineConfig& config)
        : options_(std::move(options)),
          engine_(std::make_shared<const EngineConfig>(config), rng_, spis_, policies_),
          local_(config.connections.front().local), ike_(open_socket(local_, 500)),
          nat_(open_socket(local_, 4500)) {
        engine_.set_debug(options_.contains("debug"), options_.contains("keys"));
        if (options_.contains("keys"))
            keys_ = std::fopen(options_.at("keys").c_str(), "w");
    }

    int run() {
        const Instant start = MonotonicClock::now();
        if (options_.contains("initiate"))
            carry_out(engine_.handle(Initiate{"M 10", kNoPolicy, Initiate::Cause::Command}, start));
        const auto limit = std::chrono::seconds{std::stol(option("seconds", "10"))};
        const auto clear = std::chrono::seconds{std::stol(option("delete-after", "100000"))};
        bool cleared = false;
        while (MonotonicClock::now() - start < limit) {
            wait(start + limit);
            if (!cleared && MonotonicClock::now() - start > clear) {
                cleared = true;
                carry_out(engine_.handle(ClearPhase1{}, MonotonicClock::now()));
            }
        }
        summarise();
        carry_out(engine_.handle(Shutdown{}, MonotonicClock::now()));
        return had_child_ ? 0 : 1;
    }

  private:
    std::string option(const char* name, const char* otherwise) const {
        const auto found = options_.find(name);
        return found == options_.end() ? otherwise : found->second;
    }

    void wait(Instant end) {
        pollfd sockets[2] = {{ike_, POLLIN, 0}, {nat_, POLLIN, 0}};
        const Instant until = std::min(engine_.next_deadline().value_or(end), end);
        const auto ms =
            std::chrono::duration_cast<std::chrono::milliseconds>(until - MonotonicClock::now());
        ::poll(sockets, 2, static_cast<int>(std::clamp<std::int64_t>(ms.count() + 1, 0, 500)));
        if ((sockets[0].revents & POLLIN) != 0)
            receive(ike_, 500);
        if ((sockets[1].revents & POLLIN) != 0)
            receive(nat_, 4500);
        carry_out(engine_.advance(MonotonicClock::now()));
    }

    void receive(int fd, std::uint16_t port) {
        Bytes buffer(65536);
        sockaddr_in from{};
        socklen_t length = sizeof from;
        const ssize_t got = ::recvfrom(
            fd, buffer.data(), buffer.size(), 0, reinterpret_cast<sockaddr*>(&from), &length);
        if (got < 4)
            return;
        buffer.resize(static_cast<std::size_t>(got));
        if (port == 4500) {
            if (load_be<std::uint32_t>(buffer.data()) != 0)
                return; // ESP
            buffer.erase(buffer.begin(), buffer.begin() + 4);
        }
        const Endpoint remote{Ipv4Address{ntohl(from.sin_addr.s_addr)}, ntohs(from.sin_port)};
        carry_out(engine_.handle(DatagramReceived{{local_, port}, remote, std::move(buffer)},
                                 MonotonicClock::now()));
    }

    void carry_out(Actions actions) {
        for (Action& action : actions)
            std::visit([this](auto& wanted) { act(wanted); }, action);
    }

    void act(SendDatagram& send) {
        Bytes wire;
        if (send.local.port == 4500)
            wire.resize(4);
        wire.insert(wire.end(), send.payload.begin(), send.payload.end());
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(send.remote.port);
        to.sin_addr.s_addr = htonl(send.remote.address.value);
        const int fd = send.local.port == 4500 ? nat_ : ike_;
        if (::sendto(fd, wire.data(), wire.size(), 0, reinterpret_cast<sockaddr*>(&to), sizeof to) <
            0)
            std::perror("sendto");
    }

    void act(SendNatKeepalive&) { std::printf("keepalive\n"); }

    void act(StartJob& start) {
        carry_out(engine_.handle(JobFinished{ike::run(start.job, rng_)}, MonotonicClock::now()));
    }

    void act(InstallSaAction& install) {
        had_child_ = true;
        std::printf("install %s sa %u spi %08x %s -> %s key %zu mac %zu\n",
                    install.inbound ? "in" : "out",
                    install.sa.value,
                    install.spi.value,
                    to_string(install.local).c_str(),
                    to_string(install.remote).c_str(),
                    install.key.size(),
                    install.mac_key.size());
    }

    void act(RemoveSaAction& remove) {
        std::printf("remove %s sa %u\n", remove.inbound ? "in" : "out", remove.sa.value);
    }

    void act(AddPolicyAction&) {}

    void act(RemovePolicyAction&) {}

    void act(Log& line) { std::printf("%s\n", format(line.record).c_str()); }

    void act(Debug& line) { std::printf("%s\n", line.text.c_str()); }

    void act(ExportKeys& keys) {
        if (keys_ != nullptr)
            std::fprintf(keys_, "%s %s\n", keys.line_format.c_str(), keys.line.c_str());
    }

    void summarise() {
        for (const IsakmpSaView& sa : engine_.isakmp_sas())
            std::printf("isakmp %u %s %s natt %d dpd %d\n",
                        sa.conn_id.value,
                        sa.state.c_str(),
                        sa.peer_identity.c_str(),
                        sa.nat_traversal,
                        sa.dpd);
        for (const ChildSaView& sa : engine_.child_sas())
            std::printf("child %u %08x %08x current %d\n",
                        sa.inbound_sa.value,
                        sa.inbound_spi.value,
                        sa.outbound_spi.value,
                        sa.current);
        for (std::size_t i = 0; i < static_cast<std::size_t>(Failure::Count_); ++i)
            if (engine_.counters().failures[i] != 0)
                std::printf("failure %s %llu\n",
                            to_string(static_cast<Failure>(i)),
                            static_cast<unsigned long long>(engine_.counters().failures[i]));
        if (keys_ != nullptr)
            std::fclose(std::exchange(keys_, nullptr));
    }

    std::map<std::string, std::string> options_;
    SystemRng rng_;
    Spis spis_;
    NoPolicies policies_;
    Engine engine_;
    Ipv4Address local_;
    int ike_;
    int nat_;
    std::FILE* keys_{nullptr};
    bool had_child_{false};
};

EngineConfig configure(const std::map<std::string, std::string>& options) {
    const auto get = [&](const char* name, const char* otherwise) {
        const auto found = options.find(name);
        return found == options.end() ? std::string{otherwise} : found->second;
    };
    const std::map<std::string, CipherAlgorithm> ciphers = {
        {"3des", CipherAlgorithm::TripleDesCbc},
        {"aes128", CipherAlgorithm::AesCbc128},
        {"aes192", CipherAlgorithm::AesCbc192},
        {"aes256", CipherAlgorithm::AesCbc256},
    };
    const std::map<std::string, HashAlgorithm> hashes = {
        {"md5", HashAlgorithm::Md5},
        {"sha1", HashAlgorithm::Sha1},
        {"sha256", HashAlgorithm::Sha256},
        {"sha384", HashAlgorithm::Sha384},
        {"sha512", HashAlgorithm::Sha512},
    };
    const std::map<std::string, std::pair<EspCipher, EspMac>> suites = {
        {"gcm128", {EspCipher::AesGcm128, EspMac::None}},
        {"gcm256", {EspCipher::AesGcm256, EspMac::None}},
        {"cbc128", {EspCipher::AesCbc128, EspMac::HmacSha1_96}},
        {"cbc256", {EspCipher::AesCbc256, EspMac::HmacSha256_128}},
        {"cbc256512", {EspCipher::AesCbc256, EspMac::HmacSha512_256}},
        {"3des", {EspCipher::TripleDesCbc, EspMac::HmacMd5_96}},
    };
    const auto group = [](const std::string& text) { return static_cast<Group>(std::stoul(text)); };
    EngineConfig config;
    config.phase1 = {{10,
                      ciphers.at(get("cipher", "aes256")),
                      hashes.at(get("hash", "sha256")),
                      group(get("group", "14")),
                      std::chrono::seconds{std::stol(get("ike-life", "86400"))}}};
    const std::string psk = get("psk", "secret");
    config.keys = {
        {*parse_ipv4_prefix("0.0.0.0/0"), std::make_shared<const SecretBuffer>(as_bytes(psk))}};
    if (options.contains("dpd"))
        config.dpd =
            Dpd{std::chrono::seconds{std::stol(options.at("dpd"))}, std::chrono::seconds{2}, true};
    Connection connection;
    connection.name = "M 10";
    connection.local = *parse_ipv4(get("local", "10.9.0.1"));
    connection.peers = {*parse_ipv4(get("peer", "10.9.0.2"))};
    const auto suite = suites.at(get("esp", "cbc256"));
    connection.transforms = {{"TS", suite.first, suite.second, false}};
    if (options.contains("pfs"))
        connection.pfs = group(options.at("pfs"));
    connection.lifetime = std::chrono::seconds{std::stol(get("life", "3600"))};
    const Ipv4Range local = Ipv4Range::of(*parse_ipv4_prefix(get("local-net", "10.1.0.0/16")));
    const Ipv4Range remote = Ipv4Range::of(*parse_ipv4_prefix(get("remote-net", "10.2.0.0/16")));
    connection.flows = {{PolicyId{0}, {local, remote, 0, {}, {}}, 10}};
    if (get("flows", "1") == "2")
        connection.flows.push_back(
            {PolicyId{1},
             {Ipv4Range::of(*parse_ipv4_prefix("10.3.0.0/24")), remote, 0, {}, {}},
             20});
    config.connections = {connection};
    return config;
}

} // namespace

int main(int argc, char** argv) {
    std::setvbuf(stdout, nullptr, _IOLBF, 0);
    const auto options = parse_options(argc, argv);
    Driver driver{options, configure(options)};
    return driver.run();
}

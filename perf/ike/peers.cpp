// SPDX-License-Identifier: Apache-2.0
// Plays many peers of one gateway over kernel UDP sockets, with the project's own IKE engine: main
// mode with a pre-shared key, then one quick mode each. ESP is only noted, never sent.
//
//   rate-peers --server 192.0.2.1 --peers 1000 --role initiator
//
// Peer i, counted from 0, has the address --first-peer + i and protects --first-inner + i; the
// kernel must route these addresses here (ip route add local PREFIX dev lo). It answers from the
// start; at the first line of standard input it begins, and prints one JSON line when all tunnels
// stand or none has come for --patience seconds. Then it goes on answering until standard input
// ends, and leaves without a word to the gateway.
//
// The load must cost less than the gateway: one Diffie-Hellman pair serves all peers, and a few
// engines share them.
//
// Threading: one thread.
#include "control/ike/engine.h"
#include "perf/harness.h"

#include <arpa/inet.h>
#include <boost/program_options.hpp>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <iostream>
#include <memory>
#include <netinet/in.h>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

namespace adit::perf {

namespace {

/// All of an engine's peers talk to the same gateway, and it walks over those of one address.
constexpr std::uint32_t kPeersPerEngine = 16;
constexpr std::uint16_t kIkePort = 500;
constexpr std::uint16_t kNatPort = 4500;
constexpr std::size_t kMarkerBytes = 4; // RFC 3948 2.2: before IKE on port 4500
constexpr int kSocketBytes = 16 << 20;
constexpr int kTickMs = 50;

struct Settings {
    Ipv4Address server, first_peer, first_inner;
    Ipv4Prefix protected_by_server;
    std::uint32_t peers{};
    std::uint32_t window{};
    bool initiate{};
    ike::Group group{};
    std::string key;
    std::chrono::seconds patience{};
};

Settings parse(int argc, char** argv) {
    namespace po = boost::program_options;
    std::string server, first_peer, first_inner, network, role;
    unsigned group = 0;
    unsigned patience = 0;
    Settings settings;
    po::options_description known("rate-peers");
    auto add = known.add_options();
    add("server", po::value(&server)->required(), "address of the gateway");
    add("first-peer", po::value(&first_peer)->default_value("100.64.0.1"), "of the peers");
    add("first-inner", po::value(&first_inner)->default_value("198.18.0.1"), "behind the peers");
    add("network", po::value(&network)->default_value("10.1.0.0/16"), "behind the gateway");
    add("peers", po::value(&settings.peers)->default_value(1000), "how many");
    add("window", po::value(&settings.window)->default_value(64), "negotiations begun at once");
    add("role", po::value(&role)->default_value("initiator"), "of the peers, or responder");
    add("group", po::value(&group)->default_value(14), "Diffie-Hellman group: 14 or 19");
    add("key", po::value(&settings.key)->required(), "pre-shared");
    add("patience", po::value(&patience)->default_value(20), "seconds without a new tunnel");
    add("help", "this text");
    try {
        po::variables_map given;
        po::store(po::parse_command_line(argc, argv, known), given);
        if (given.count("help") != 0) {
            std::cout << known;
            std::exit(0);
        }
        po::notify(given);
    } catch (const std::exception& error) {
        die(std::string{"rate-peers: "} + error.what());
    }
    if (role != "initiator" && role != "responder")
        die("rate-peers: --role is initiator or responder");
    settings.server = must(parse_ipv4(server));
    settings.first_peer = must(parse_ipv4(first_peer));
    settings.first_inner = must(parse_ipv4(first_inner));
    settings.protected_by_server = must(parse_ipv4_prefix(network));
    settings.initiate = role == "initiator";
    settings.group = static_cast<ike::Group>(group);
    settings.patience = std::chrono::seconds{patience};
    return settings;
}

class Spis final : public ike::SpiAllocator {
  public:
    std::optional<Spi> allocate(PolicyId) override { return Spi{next_++}; }

    void release(Spi) override {}

  private:
    std::uint32_t next_{0x10000001};
};

/// Peers claim nothing from each other.
class NoPolicies final : public ike::PolicyAllocator {
  public:
    std::optional<PolicyId> allocate() override { return std::nullopt; }

    void release(PolicyId) override {}
};

/// One port of all peers.
class Socket {
  public:
    explicit Socket(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0)) {
        sockaddr_in name{};
        name.sin_family = AF_INET;
        name.sin_port = htons(port);
        const int yes = 1;
        if (fd_ < 0 || ::setsockopt(fd_, IPPROTO_IP, IP_PKTINFO, &yes, sizeof yes) != 0 ||
            ::bind(fd_, reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0)
            die("rate-peers: UDP port " + std::to_string(port) + ": " + std::strerror(errno));
        // Allowed to root only; without it a burst may be lost, and comes again.
        ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUFFORCE, &kSocketBytes, sizeof kSocketBytes);
    }

    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;

    ~Socket() { ::close(fd_); }

    [[nodiscard]] int fd() const { return fd_; }

    struct Arrival {
        Ipv4Address local, remote;
        std::uint16_t remote_port;
        std::size_t length;
    };

    /// Nothing when the socket is empty.
    std::optional<Arrival> receive(MutableBytes to) const {
        sockaddr_in from{};
        alignas(cmsghdr) char control[CMSG_SPACE(sizeof(in_pktinfo))];
        iovec piece{to.data(), to.size()};
        msghdr message{&from, sizeof from, &piece, 1, control, sizeof control, 0};
        const ssize_t got = ::recvmsg(fd_, &message, 0);
        const cmsghdr* header = got < 0 ? nullptr : CMSG_FIRSTHDR(&message);
        if (header == nullptr)
            return std::nullopt;
        in_pktinfo info{};
        std::memcpy(&info, CMSG_DATA(header), sizeof info);
        return Arrival{Ipv4Address{ntohl(info.ipi_addr.s_addr)},
                       Ipv4Address{ntohl(from.sin_addr.s_addr)},
                       ntohs(from.sin_port),
                       static_cast<std::size_t>(got)};
    }

    /// What the kernel refuses is lost, as on a wire.
    void send(Ipv4Address local, Endpoint remote, MutableBytes datagram) const {
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(remote.port);
        to.sin_addr.s_addr = htonl(remote.address.value);
        alignas(cmsghdr) char control[CMSG_SPACE(sizeof(in_pktinfo))] = {};
        iovec piece{datagram.data(), datagram.size()};
        msghdr message{&to, sizeof to, &piece, 1, control, sizeof control, 0};
        cmsghdr* header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = IPPROTO_IP;
        header->cmsg_type = IP_PKTINFO;
        header->cmsg_len = CMSG_LEN(sizeof(in_pktinfo));
        in_pktinfo info{};
        info.ipi_spec_dst.s_addr = htonl(local.value);
        std::memcpy(CMSG_DATA(header), &info, sizeof info);
        [[maybe_unused]] const ssize_t sent = ::sendmsg(fd_, &message, 0);
    }

  private:
    int fd_;
};

class Peers {
  public:
    explicit Peers(const Settings& settings)
        : settings_(settings), pair_(must(ike::dh_generate(settings.group, rng_))),
          up_(settings.peers, false) {
        for (std::uint32_t first = 0; first < settings.peers; first += kPeersPerEngine)
            engines_.emplace_back(config(first), rng_, spis_, policies_);
    }

    /// Until standard input ends.
    void run() {
        while (true) {
            const Word word = wait();
            if (word == Word::End)
                return;
            if (word == Word::Begin)
                start();
            const bool done = count_ == settings_.peers;
            const bool stuck = MonotonicClock::now() - last_progress_ > settings_.patience;
            if (stage_ == Stage::Begun && (done || stuck))
                report();
        }
    }

  private:
    enum class Word { None, Begin, End }; // on standard input
    enum class Stage { Waiting, Begun, Reported };

    static std::string connection_of(std::uint32_t peer) { return "PEER " + std::to_string(peer); }

    [[nodiscard]] std::shared_ptr<const ike::EngineConfig> config(std::uint32_t first) const {
        auto config = std::make_shared<ike::EngineConfig>();
        config->phase1 = {
            {10, ike::CipherAlgorithm::AesCbc128, ike::HashAlgorithm::Sha256, settings_.group}};
        config->keys = {
            {Ipv4Prefix{}, std::make_shared<const SecretBuffer>(as_bytes(settings_.key))}};
        const std::uint32_t end = std::min(first + kPeersPerEngine, settings_.peers);
        for (std::uint32_t peer = first; peer < end; ++peer)
            config->connections.push_back(connection(peer));
        return config;
    }

    [[nodiscard]] ike::Connection connection(std::uint32_t peer) const {
        const Ipv4Address inner{settings_.first_inner.value + peer};
        ike::Connection connection;
        connection.name = connection_of(peer);
        connection.local = Ipv4Address{settings_.first_peer.value + peer};
        connection.peers = {settings_.server};
        connection.transforms = {{"TS", EspCipher::AesCbc128, EspMac::HmacSha256_128}};
        const TrafficSelector selector{
            Ipv4Range::host(inner), Ipv4Range::of(settings_.protected_by_server), 0, {}, {}};
        connection.flows = {{PolicyId{peer}, selector, 10}};
        return connection;
    }

    void start() {
        stage_ = Stage::Begun;
        start_ = last_progress_ = MonotonicClock::now();
        if (settings_.initiate)
            begin(settings_.window);
    }

    void begin(std::uint32_t more) {
        for (; more > 0 && begun_ < settings_.peers; --more) {
            const std::uint32_t peer = begun_++;
            handle(peer,
                   ike::Initiate{connection_of(peer), kNoPolicy, ike::Initiate::Cause::Command});
        }
    }

    ike::Engine& engine_of(std::uint32_t peer) { return engines_[peer / kPeersPerEngine]; }

    void handle(std::uint32_t peer, ike::Event event) {
        perform(engine_of(peer), engine_of(peer).handle(std::move(event), MonotonicClock::now()));
    }

    Word wait() {
        pollfd ready[] = {
            {STDIN_FILENO, POLLIN, 0}, {ike_.fd(), POLLIN, 0}, {nat_.fd(), POLLIN, 0}};
        ::poll(ready, std::size(ready), kTickMs);
        receive_all(ike_, kIkePort);
        receive_all(nat_, kNatPort);
        tick();
        if (ready[0].revents == 0)
            return Word::None;
        char line[64];
        return ::read(STDIN_FILENO, line, sizeof line) > 0 ? Word::Begin : Word::End;
    }

    void receive_all(const Socket& socket, std::uint16_t port) {
        static thread_local std::uint8_t buffer[1 << 16];
        while (const auto arrival = socket.receive(buffer)) {
            const std::uint32_t peer = arrival->local.value - settings_.first_peer.value;
            const std::size_t skip = port == kNatPort ? kMarkerBytes : 0;
            if (peer >= settings_.peers || arrival->length <= skip)
                continue;
            handle(peer,
                   ike::DatagramReceived{{arrival->local, port},
                                         {arrival->remote, arrival->remote_port},
                                         Bytes(buffer + skip, buffer + arrival->length)});
        }
    }

    void tick() {
        const Instant now = MonotonicClock::now();
        if (now < next_tick_)
            return;
        next_tick_ = now + std::chrono::milliseconds{kTickMs};
        for (ike::Engine& engine : engines_)
            if (const auto due = engine.next_deadline(); due && *due <= now)
                perform(engine, engine.advance(now));
    }

    void perform(ike::Engine& engine, ike::Actions actions) {
        for (ike::Action& action : actions) {
            if (auto* datagram = std::get_if<ike::SendDatagram>(&action))
                send(*datagram);
            else if (auto* start = std::get_if<ike::StartJob>(&action))
                perform(engine, engine.handle(compute(start->job), MonotonicClock::now()));
            else if (auto* install = std::get_if<ike::InstallSaAction>(&action))
                note(*install);
        }
    }

    void send(ike::SendDatagram& datagram) {
        const bool marked = datagram.local.port == kNatPort;
        if (marked)
            datagram.payload.insert(datagram.payload.begin(), kMarkerBytes, 0);
        (marked ? nat_ : ike_).send(datagram.local.address, datagram.remote, datagram.payload);
    }

    ike::JobFinished compute(const ike::Job& job) {
        const auto& work = std::get<ike::DhJob>(job.work);
        ike::DhOutput output;
        if (work.kind != ike::DhJobKind::Agree)
            output.pair = {pair_.group, pair_.private_key.clone(), pair_.public_value};
        if (work.kind != ike::DhJobKind::Generate)
            output.shared =
                must(ike::dh_agree(work.group, pair_.private_key.view(), work.peer_public));
        return {{job.job_id, ike::JobOutput{std::move(output)}}};
    }

    /// The outbound SA is the last thing of a negotiation.
    void note(const ike::InstallSaAction& install) {
        if (install.inbound || up_[install.policy.value])
            return;
        up_[install.policy.value] = true;
        ++count_;
        last_progress_ = MonotonicClock::now();
        if (settings_.initiate)
            begin(1);
    }

    void report() {
        stage_ = Stage::Reported;
        std::uint64_t retransmits = 0;
        std::uint64_t failures = 0;
        for (const ike::Engine& engine : engines_) {
            retransmits += engine.counters().retransmits;
            for (const std::uint64_t count : engine.counters().failures)
                failures += count;
        }
        const double seconds = std::chrono::duration<double>(last_progress_ - start_).count();
        std::printf(
            "{\"established\":%u,\"seconds\":%.4f,\"retransmits\":%llu,\"failures\":%llu}\n",
            count_,
            seconds,
            static_cast<unsigned long long>(retransmits),
            static_cast<unsigned long long>(failures));
        std::fflush(stdout);
    }

    Settings settings_;
    SystemRng rng_;
    Spis spis_;
    NoPolicies policies_;
    ike::DhKeyPair pair_;
    std::vector<ike::Engine> engines_;
    Socket ike_{kIkePort};
    Socket nat_{kNatPort};
    std::vector<bool> up_;
    std::uint32_t begun_{0};
    std::uint32_t count_{0};
    Instant start_, last_progress_, next_tick_;
    Stage stage_{Stage::Waiting};
};

} // namespace

} // namespace adit::perf

int main(int argc, char** argv) {
    adit::perf::Peers{adit::perf::parse(argc, argv)}.run();
}

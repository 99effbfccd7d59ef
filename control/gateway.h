// SPDX-License-Identifier: Apache-2.0
// The joint of control: feeds the IKE engine with what the dataplane, the crypto pool, the operator
// and time bring, and carries out what the engine answers. It decides nothing about IKE; it keeps
// configuration, dataplane and engine in step.
//
// It outlives itself: what the engine, the SA database and the policy numbers must not forget goes
// into the journal before anybody outside acts on it, and a gateway that finds the journal of one
// that died goes on where that one stopped (gateway_resume.cpp). A clean stop leaves no journal.
//
//     punt, events ──> DataplaneClient ──> Gateway ──> ike::Engine
//                            ^                │  ^         │
//     commands, inject <─────┴── Installer <──┘  └─ pool <─┘ actions
//
// Threading: control's loop.
#pragma once

#include "common/log.h"
#include "control/cli/snapshot.h"
#include "control/dataplane_client.h"
#include "control/dataplane_watch.h"
#include "control/event_loop.h"
#include "control/first_packets.h"
#include "control/ike/crypto_pool.h"
#include "control/ike/engine.h"
#include "control/journal.h"
#include "control/peer_history.h"
#include "control/pki/trustpoint_set.h"
#include "control/provision.h"
#include "control/runtime_policies.h"
#include "control/sa/installer.h"
#include "control/sa/sa_db.h"
#include "control/tunnel_keeper.h"

#include <cstdio>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace adit {

class Gateway {
  public:
    /// `log` and `rng` outlive the gateway.
    Gateway(EventLoop& loop,
            Logger& log,
            Rng& rng,
            ike::CryptoPool pool,
            const std::string& dataplane_socket);
    Gateway(const Gateway&) = delete;
    Gateway& operator=(const Gateway&) = delete;
    ~Gateway();

    /// Starts with this configuration, read from this text, and looks for the dataplane.
    Status start(std::shared_ptr<const config::Config> config, std::string_view startup_text);

    /// The startup configuration is this text from now on.
    void set_startup_text(std::string_view text);

    /// Replaces the running configuration: only differences take effect.
    void apply(std::shared_ptr<const config::Config> config);

    [[nodiscard]] const std::shared_ptr<const config::Config>& config() const { return config_; }

    /// Everything `show` may print, as of now.
    [[nodiscard]] cli::Snapshot snapshot() const;

    /// What happened with the peers, kept after their SAs are gone.
    [[nodiscard]] const PeerHistory& history() const { return history_; }

    // What an operator can ask for.

    void clear_phase1(std::optional<Ipv4Address> peer, std::optional<ConnId> conn_id);
    void clear_phase2(std::optional<Ipv4Address> peer);
    void clear_sa_counters(std::optional<Ipv4Address> peer);
    void clear_interface_counters();
    void flush_neighbors();
    /// NotFound when no crypto map entry and no tunnel names the peer.
    Status initiate(Ipv4Address peer);

    /// `debug crypto isakmp` and `debug crypto ipsec`: lines go to the sink until it is replaced by
    /// nothing. Refused while there are more ISAKMP SAs than anybody can watch and no condition.
    using DebugSink = std::function<void(const std::string& line)>;
    Status debug_isakmp(DebugSink sink);

    void debug_ipsec(DebugSink sink) { ipsec_debug_ = std::move(sink); }

    /// Which of these lines are made at all.
    void set_debug_condition(ike::DebugCondition condition);

    [[nodiscard]] const ike::DebugCondition& debug_condition() const { return debug_condition_; }

    /// Keys of SAs made from now on are appended to the file (created with mode 0600, never
    /// overwritten); an empty path stops it.
    Status export_keys(const std::string& path);

    /// Deletes go to all peers; true once the dataplane has taken them and the process may end.
    void shut_down();

    [[nodiscard]] bool drained() const { return dataplane_.drained(); }

    /// Called by the loop.
    void turn() { dataplane_.turn(); }

    [[nodiscard]] bool busy() { return dataplane_.busy(); }

  private:
    struct CloseFile {
        void operator()(std::FILE* file) const { std::fclose(file); }
    };

    void log(LogRecord record) { log_.write(record, MonotonicClock::now()); }

    // Into the engine, and what it answers. An event raised while another one's actions are carried
    // out waits for its turn: actions keep their order.
    void handle(ike::Event event);
    void perform(ike::Actions actions);
    void perform_one(ike::SendDatagram& action);
    void perform_one(ike::SendNatKeepalive& action);
    void perform_one(ike::StartJob& action);
    void perform_one(ike::InstallSaAction& action);
    void perform_one(ike::RemoveSaAction& action);
    void perform_one(ike::AddPolicyAction& action);
    void perform_one(ike::RemovePolicyAction& action);

    void perform_one(ike::Log& action);
    void perform_one(ike::Debug& action);
    void perform_one(ike::ExportKeys& action);
    void on_installed(ike::InstallFinished finished);
    void collect_jobs();
    void rearm_timer();

    /// `debug crypto ipsec`: are lines about this wanted? An SA that is not known (any more) only
    /// where nothing narrows them down.
    [[nodiscard]] bool watches(Ipv4Address peer, Spi spi) const;
    [[nodiscard]] bool watches(const sa::InstalledSa* sa) const;
    [[nodiscard]] bool watches(const ike::Connection& connection) const;

    // The journal: what has changed goes in; and all of it comes back.
    void write_down(const ike::Actions& actions);
    void write_down(const std::vector<JournalEntry>& entries);
    void write_down_everything();
    void write_configuration();
    void open_journal();
    bool resume();
    Status resume_from(const std::vector<JournalEntry>& entries);
    void resume_configuration(const std::vector<JournalEntry>& entries);
    void resume_tunnels();
    void discard_journal(const std::string& why);
    void start_over();
    void adopt_sas(std::function<void()> then);
    void settle_differences();

    // From the dataplane.
    void on_attached(bool known);
    void on_lost();
    void read_ports();
    void note_links(bool goes_on);
    void on_event(const ipc::EventRecord& event);
    void on_acquire(const ipc::Acquire& acquire);
    void on_notice(const ipc::PacketNotice& notice);
    /// With whom the packet has to do; nothing when nobody is known to.
    [[nodiscard]] std::optional<Ipv4Address> peer_of(const ipc::PacketNotice& notice) const;
    void on_link_change(const ipc::LinkChange& change);
    void on_datagram(const ipc::DatagramRecord& datagram);
    void look_at_activity();

    // Tunnel interfaces.
    void keep_tunnels();
    void wake_keeper();
    void log_line_protocol(const TunnelKeeper::Change& change);
    void on_tunnel_change(const TunnelKeeper::Change& change);

    // Files of certificates.
    bool read_trustpoints();
    void look_for_new_files();

    // To the dataplane.
    void make_tables();
    void provision();
    template <class Record>
    void send_table(ipc::CommandType type,
                    const Record& record,
                    const char* what,
                    DataplaneClient::AckCallback then = {});
    /// Of the tables in use. Before the first publication there are none: it will contain the edit.
    template <class Record>
    void edit_table(ipc::CommandType type,
                    const Record& record,
                    const char* what,
                    DataplaneClient::AckCallback then = {});

    EventLoop& loop_;
    Logger& log_;
    Rng& rng_;
    ike::CryptoPool pool_;
    DataplaneClient dataplane_;
    DataplaneWatch dataplane_watch_{loop_, log_, dataplane_};
    std::optional<Journal> journal_; // while attached
    std::uint64_t startup_digest_{0};
    std::shared_ptr<const config::Config> written_config_; // as the journal has it
    std::vector<SaId> resumed_sas_;                        // that the engine believes installed
    std::map<SaId, ike::InstallSaAction> unanswered_;      // of these: perhaps not even asked for
    bool adopting_{false};    // tables would end what is not yet adopted
    bool provisioned_{false}; // the dataplane has tables of ours
    sa::SaDb db_;
    sa::Installer installer_;
    std::unique_ptr<ike::Engine> engine_;
    FirstPackets first_packets_;
    std::deque<ike::Event> waiting_events_;
    bool handling_{false};
    std::shared_ptr<const config::Config> config_;
    std::uint64_t config_generation_{0};
    pki::TrustpointSet trustpoints_;
    PolicyNumbers policy_numbers_;
    RuntimePolicies runtime_policies_;
    Provision provision_;
    TunnelKeeper tunnels_;
    PeerHistory history_;
    std::vector<PortInfo> ports_;
    std::map<std::uint16_t, bool> links_; // up, of those the dataplane has reported
    std::map<std::string, cli::InterfaceStatus> interface_baseline_; // as of `clear counters`
    DebugSink isakmp_debug_;
    DebugSink ipsec_debug_;
    ike::DebugCondition debug_condition_;
    std::unique_ptr<std::FILE, CloseFile> key_file_;
    EventLoop::TimerId engine_timer_{0};
    Instant engine_timer_at_{};
    EventLoop::TimerId silence_timer_{0};
    EventLoop::TimerId file_timer_{0};
    EventLoop::TimerId tunnel_timer_{0};
    Instant tunnel_timer_at_{};
    Instant started_;
};

} // namespace adit

// SPDX-License-Identifier: Apache-2.0
#include "control/gateway.h"

#include "control/pair_activity.h"

#include <algorithm>
#include <cstring>
#include <sys/epoll.h>

namespace adit {

/// On-demand DPD needs to know within a second that a peer went quiet.
static constexpr Duration kSilenceCheckEvery = std::chrono::seconds{1};
/// CAs publish a CRL every few hours at most: a minute late is soon enough.
static constexpr Duration kFileCheckEvery = std::chrono::seconds{60};
/// Between two lots of tunnels that are brought up.
static constexpr Duration kTunnelsEvery = std::chrono::milliseconds{100};

Gateway::Gateway(EventLoop& loop,
                 Logger& log,
                 Rng& rng,
                 ike::CryptoPool pool,
                 const std::string& dataplane_socket)
    : loop_(loop), log_(log), rng_(rng), pool_(std::move(pool)),
      dataplane_(
          loop,
          log,
          dataplane_socket,
          {.attached = [this](bool known) { on_attached(known); },
           .lost = [this] { on_lost(); },
           .event = [this](const ipc::EventRecord& event) { on_event(event); },
           .datagram = [this](const ipc::DatagramRecord& datagram) { on_datagram(datagram); }}),
      db_(
          [this](const sa::InstalledSa& sa) -> const ipc::SaStats* {
              if (!dataplane_.attached() || sa.slot >= dataplane_.channel().config().max_sas ||
                  sa.worker.value >= dataplane_.channel().config().workers)
                  return nullptr;
              return sa.inbound ? &dataplane_.channel().inbound_sa_stats(sa.worker.value, sa.slot)
                                : &dataplane_.channel().outbound_sa_stats(sa.worker.value, sa.slot);
          },
          [this](const std::vector<JournalEntry>& entries) { write_down(entries); }),
      installer_(dataplane_,
                 db_,
                 rng,
                 [this](ike::InstallFinished finished) { on_installed(std::move(finished)); }),
      first_packets_(loop,
                     db_,
                     {.awaited = [this] { return engine_->awaited(); },
                      .came = [this](SaId sa) { handle(ike::PeerUses{sa}); }}),
      runtime_policies_(policy_numbers_,
                        {.has_sas = [this](PolicyId policy) { return db_.has_sas(policy); },
                         .freed = [this](PolicyId policy) { db_.forget_policy(policy); }}),
      history_([this](Ipv4Address peer) {
          return provision_.engine && !connections_with(*provision_.engine, peer).empty();
      }),
      started_(MonotonicClock::now()) {}

Gateway::~Gateway() {
    loop_.remove(pool_.event_fd());
    loop_.cancel(engine_timer_);
    loop_.cancel(silence_timer_);
    loop_.cancel(file_timer_);
    loop_.cancel(tunnel_timer_);
}

Status Gateway::start(std::shared_ptr<const config::Config> config, std::string_view startup_text) {
    set_startup_text(startup_text);
    TRY_VOID(loop_.add(pool_.event_fd(), EPOLLIN, [this](std::uint32_t) { collect_jobs(); }));
    config_ = std::move(config);
    read_trustpoints();
    make_tables();
    engine_ = std::make_unique<ike::Engine>(
        provision_.engine, rng_, installer_.spis(), runtime_policies_);
    engine_->keep_memory();
    look_at_activity();
    look_for_new_files();
    dataplane_.start();
    return {};
}

void Gateway::apply(std::shared_ptr<const config::Config> config) {
    config_ = std::move(config);
    read_trustpoints();
    provision();
}

// ---------------------------------------------------------------------------------------------------
// The engine

void Gateway::handle(ike::Event event) {
    waiting_events_.push_back(std::move(event));
    if (handling_)
        return;
    handling_ = true;
    while (!waiting_events_.empty()) {
        ike::Event next = std::move(waiting_events_.front());
        waiting_events_.pop_front();
        ike::Actions actions = engine_->handle(std::move(next), MonotonicClock::now());
        write_down(actions);
        perform(std::move(actions));
    }
    handling_ = false;
    rearm_timer();
}

void Gateway::perform(ike::Actions actions) {
    for (ike::Action& action : actions)
        std::visit([this](auto& one) { perform_one(one); }, action);
}

static void fill(ipc::DatagramRecord& record, Endpoint local, Endpoint remote, ByteView payload) {
    record.arrival_ns = 0;
    record.source = local.address.value;
    record.destination = remote.address.value;
    record.source_port = local.port;
    record.destination_port = remote.port;
    record.interface = kNoInterface.value;
    record.length = static_cast<std::uint16_t>(payload.size());
    std::ranges::copy(payload, record.payload);
}

void Gateway::perform_one(ike::SendDatagram& action) {
    if (action.payload.size() > ipc::kMaxIkeDatagramBytes) {
        log({Severity::Error,
             "SYS",
             "IKE_TOO_LONG",
             "message of " + std::to_string(action.payload.size()) + " octets to " +
                 to_string(action.remote) + " not sent",
             ""});
        return;
    }
    history_.sent(action.local, action.remote.address, MonotonicClock::now());
    static thread_local ipc::DatagramRecord record; // 10 kB: not on the stack
    fill(record, action.local, action.remote, action.payload);
    dataplane_.inject(record);
}

void Gateway::perform_one(ike::SendNatKeepalive& action) {
    static constexpr std::uint8_t kKeepalive[] = {0xff}; // RFC 3948 2.3
    static thread_local ipc::DatagramRecord record;
    fill(record, action.local, action.remote, kKeepalive);
    dataplane_.inject(record);
}

void Gateway::perform_one(ike::StartJob& action) {
    const ike::JobId job = action.job.job_id;
    if (pool_.submit(std::move(action.job)) == ike::Submitted::Full)
        handle(ike::JobFinished{{job, fail(ErrorCode::Exhausted, "too many crypto jobs wait")}});
}

static std::string hex(Spi spi) {
    char digits[16];
    std::snprintf(digits, sizeof digits, "0x%X", spi.value);
    return digits;
}

bool Gateway::watches(Ipv4Address peer, Spi spi) const {
    return ipsec_debug_ && (debug_condition_.empty() || debug_condition_.names(peer) ||
                            debug_condition_.names(spi));
}

bool Gateway::watches(const sa::InstalledSa* sa) const {
    return sa == nullptr ? ipsec_debug_ && debug_condition_.empty() : watches(sa->peer, sa->spi);
}

bool Gateway::watches(const ike::Connection& connection) const {
    return ipsec_debug_ && (debug_condition_.empty() ||
                            std::ranges::any_of(connection.peers, [this](Ipv4Address peer) {
                                return debug_condition_.names(peer);
                            }));
}

void Gateway::perform_one(ike::InstallSaAction& action) {
    if (watches(action.remote.address, action.spi))
        ipsec_debug_("IPSEC(create_sa): sa created, (sa) sa_dest= " +
                     to_string(action.inbound ? action.local.address : action.remote.address) +
                     ", sa_proto= 50, sa_spi= " + hex(action.spi) + "(" +
                     std::to_string(action.spi.value) +
                     "), sa_conn_id= " + std::to_string(action.sa.value));
    if (!action.inbound && dataplane_.attached()) {
        const auto change =
            runtime_policies_.lead_to(action.policy, action.remote.address, provision_);
        for (const ipc::SetRoute& route : change.gone)
            edit_table(ipc::CommandType::RemoveRoute, route, "removal of a reverse route");
        for (const ipc::SetRoute& route : change.fresh)
            edit_table(ipc::CommandType::AddRoute, route, "a reverse route");
    }
    if (!action.inbound)
        tunnels_.expect(action.sa, action.policy);
    installer_.install(std::move(action));
}

void Gateway::perform_one(ike::RemoveSaAction& action) {
    if (watches(db_.find(action.sa)))
        ipsec_debug_("IPSEC(delete_sa): deleting SA, sa_spi= " + hex(action.spi) + "(" +
                     std::to_string(action.spi.value) +
                     "), sa_conn_id= " + std::to_string(action.sa.value));
    installer_.remove(action);
    if (const auto change = tunnels_.removed(action.sa, MonotonicClock::now()))
        on_tunnel_change(*change);
}

void Gateway::perform_one(ike::AddPolicyAction& action) {
    const PolicyId policy = action.policy;
    const std::optional<ipc::SetPolicy> row = runtime_policies_.add(action, provision_);
    if (!row || !dataplane_.attached())
        return handle(ike::PolicyRefused{policy, "no dataplane has its entry"});
    edit_table(ipc::CommandType::AddPolicy,
               *row,
               "a policy made at run time",
               [this, policy](ipc::AckResult result, std::uint32_t detail) {
                   if (result == ipc::AckResult::Ok)
                       return;
                   runtime_policies_.refused(policy);
                   handle(ike::PolicyRefused{policy, sa::describe(result, detail)});
               });
}

void Gateway::perform_one(ike::RemovePolicyAction& action) {
    const PolicyId policy = action.policy;
    const std::vector<ipc::SetRoute> routes = runtime_policies_.take_routes(policy);
    if (dataplane_.attached())
        for (const ipc::SetRoute& route : routes)
            edit_table(ipc::CommandType::RemoveRoute, route, "removal of a reverse route");
    if (!runtime_policies_.remove(policy) || !dataplane_.attached())
        return;
    ipc::RemovePolicy record{};
    record.policy = policy.value;
    edit_table(
        ipc::CommandType::RemovePolicy,
        record,
        "removal of a policy made at run time",
        [this, policy](ipc::AckResult, std::uint32_t) { runtime_policies_.acknowledged(policy); });
}

void Gateway::on_installed(ike::InstallFinished finished) {
    if (const sa::InstalledSa* sa = db_.find(finished.sa); watches(sa)) {
        ipsec_debug_(finished.ok && sa != nullptr
                         ? "IPSEC: Successfully installed IPSEC SA (SPI:" + hex(sa->spi) + ")"
                         : "IPSEC: SA conn_id " + std::to_string(finished.sa.value) +
                               " not installed: " + finished.reason);
    }
    if (finished.ok)
        if (const auto change = tunnels_.installed(finished.sa, MonotonicClock::now()))
            on_tunnel_change(*change);
    handle(std::move(finished));
}

void Gateway::perform_one(ike::Log& action) {
    history_.logged(action.record, MonotonicClock::now());
    // `crypto logging session`: off unless asked for, as on a router.
    if (action.record.mnemonic == "SESSION_STATUS" && !config_->logging_session)
        return;
    log(std::move(action.record));
}

void Gateway::perform_one(ike::Debug& action) {
    if (isakmp_debug_)
        isakmp_debug_(action.text);
}

void Gateway::perform_one(ike::ExportKeys& action) {
    if (!key_file_)
        return;
    std::fprintf(key_file_.get(), "%s\t%s\n", action.line_format.c_str(), action.line.c_str());
    std::fflush(key_file_.get());
}

void Gateway::collect_jobs() {
    for (ike::JobResult& result : pool_.collect())
        handle(ike::JobFinished{std::move(result)});
}

void Gateway::rearm_timer() {
    first_packets_.watch();
    const std::optional<Instant> deadline = engine_->next_deadline();
    if (engine_timer_ != 0 && deadline && *deadline == engine_timer_at_)
        return;
    loop_.cancel(engine_timer_);
    engine_timer_ = 0;
    if (!deadline)
        return;
    engine_timer_at_ = *deadline;
    engine_timer_ = loop_.call_at(*deadline, [this] {
        engine_timer_ = 0;
        ike::Actions actions = engine_->advance(MonotonicClock::now());
        write_down(actions);
        perform(std::move(actions));
        rearm_timer();
    });
}

// ---------------------------------------------------------------------------------------------------
// The dataplane

template <class Record>
void Gateway::send_table(ipc::CommandType type,
                         const Record& record,
                         const char* what,
                         DataplaneClient::AckCallback then) {
    ipc::CommandRecord command{};
    static_assert(sizeof(Record) <= sizeof command);
    std::memcpy(&command, &record, sizeof record);
    command.header.type = static_cast<std::uint16_t>(type);
    dataplane_.command_housekeeper(
        command, [this, what, then = std::move(then)](ipc::AckResult result, std::uint32_t detail) {
            if (then)
                then(result, detail);
            if (result != ipc::AckResult::Ok)
                log({Severity::Error,
                     "SYS",
                     "PROVISION_REFUSED",
                     std::string(what) + ": " + sa::describe(result, detail),
                     ""});
        });
}

template <class Record>
void Gateway::edit_table(ipc::CommandType type,
                         const Record& record,
                         const char* what,
                         DataplaneClient::AckCallback then) {
    if (provisioned_)
        send_table(type, record, what, std::move(then));
    else if (then)
        then(ipc::AckResult::Ok, 0);
}

void Gateway::make_tables() {
    provision_ = make_provision(*config_,
                                ports_,
                                policy_numbers_,
                                ++config_generation_,
                                trustpoints_.credentials(std::chrono::system_clock::now));
    write_configuration();
}

static ipc::SetTunnel row_of(const TunnelPlan& plan, bool up) {
    ipc::SetTunnel row = plan.row;
    row.flags = up ? std::uint8_t{ipc::kTunnelUp} : std::uint8_t{0};
    return row;
}

void Gateway::provision() {
    if (adopting_)
        return; // comes at the end of that
    make_tables();
    for (const TunnelKeeper::Change& change :
         tunnels_.configure(provision_.tunnels, MonotonicClock::now()))
        log_line_protocol(change);
    for (const std::string& problem : provision_.problems)
        if (dataplane_.attached())
            log({Severity::Warning, "SYS", "CONFIG_PROBLEM", problem, ""});
    provisioned_ = dataplane_.attached();
    send_table(ipc::CommandType::BeginTables, ipc::PlainCommand{}, "begin of tables");
    for (const ipc::SetInterface& interface : provision_.interfaces)
        send_table(ipc::CommandType::SetInterface, interface, "an interface");
    for (const auto& [name, plan] : provision_.tunnels)
        send_table(ipc::CommandType::SetTunnel,
                   row_of(plan, tunnels_.is_up(plan.policy())),
                   "a tunnel interface");
    for (const ipc::SetRoute& route : provision_.routes)
        send_table(ipc::CommandType::SetRoute, route, "a route");
    for (const ipc::SetPolicy& policy : provision_.policies)
        send_table(ipc::CommandType::SetPolicy, policy, "a policy");
    for (const ipc::SetPolicy& policy : runtime_policies_.rows(provision_))
        send_table(ipc::CommandType::SetPolicy, policy, "a policy made at run time");
    for (const ipc::SetRoute& route : runtime_policies_.routes(provision_))
        send_table(ipc::CommandType::SetRoute, route, "a reverse route");
    send_table(ipc::CommandType::PublishTables, ipc::PlainCommand{}, "publication of tables");
    handle(ike::Reconfigure{provision_.engine});
    wake_keeper();
}

// ---------------------------------------------------------------------------------------------------
// Tunnel interfaces

void Gateway::log_line_protocol(const TunnelKeeper::Change& change) {
    log({Severity::Notice,
         "LINEPROTO",
         "UPDOWN",
         "Line protocol on Interface " + change.interface + ", changed state to " +
             (change.up ? "up" : "down"),
         ""});
}

/// As on a router: while its line protocol is down, no route leads into a tunnel.
void Gateway::on_tunnel_change(const TunnelKeeper::Change& change) {
    log_line_protocol(change);
    const auto plan = provision_.tunnels.find(change.interface);
    if (plan != provision_.tunnels.end() && plan->second.policy() == change.policy &&
        dataplane_.attached())
        edit_table(ipc::CommandType::ChangeTunnel,
                   row_of(plan->second, change.up),
                   "the state of a tunnel interface");
    wake_keeper();
}

void Gateway::wake_keeper() {
    const std::optional<Instant> due = tunnels_.next_due();
    if (!due || !dataplane_.attached())
        return;
    const Instant when = std::max(*due, MonotonicClock::now() + kTunnelsEvery);
    if (tunnel_timer_ != 0 && tunnel_timer_at_ <= when)
        return;
    loop_.cancel(tunnel_timer_);
    tunnel_timer_at_ = when;
    tunnel_timer_ = loop_.call_at(when, [this] {
        tunnel_timer_ = 0;
        keep_tunnels();
    });
}

void Gateway::keep_tunnels() {
    if (!dataplane_.attached())
        return; // on_attached() goes on
    for (const auto& [interface, policy] : tunnels_.due(MonotonicClock::now()))
        handle(ike::Initiate{interface, policy, ike::Initiate::Cause::Command});
    wake_keeper();
}

void Gateway::flush_neighbors() {
    send_table(ipc::CommandType::FlushNeighbors, ipc::PlainCommand{}, "clear ip arp");
}

void Gateway::look_at_activity() {
    silence_timer_ =
        loop_.call_at(MonotonicClock::now() + kSilenceCheckEvery, [this] { look_at_activity(); });
    if (!dataplane_.attached() || !activity_matters(*provision_.engine))
        return;
    const Instant now = MonotonicClock::now();
    for (ike::Event& event : judge_activity(*provision_.engine, engine_->child_sas(), db_, now))
        handle(std::move(event));
}

// ---------------------------------------------------------------------------------------------------
// Certificates

/// True when anything is other than before.
bool Gateway::read_trustpoints() {
    std::vector<pki::TrustpointFiles> wanted;
    for (const auto& [name, trustpoint] : config_->trustpoints)
        wanted.push_back(
            {name,
             trustpoint.ca_file,
             trustpoint.certificate_file,
             trustpoint.key_file,
             trustpoint.crl_file,
             trustpoint.check_revocation ? pki::Revocation::ByCrl : pki::Revocation::None});
    if (!trustpoints_.update(wanted))
        return false;
    for (const pki::TrustpointStatus& status : trustpoints_.status())
        if (!status.problem.empty())
            log({Severity::Error,
                 "PKI",
                 "TRUSTPOINT_PROBLEM",
                 "trustpoint " + status.files.name + ": " + status.problem,
                 ""});
    return true;
}

void Gateway::look_for_new_files() {
    file_timer_ =
        loop_.call_at(MonotonicClock::now() + kFileCheckEvery, [this] { look_for_new_files(); });
    if (read_trustpoints())
        provision();
}

} // namespace adit

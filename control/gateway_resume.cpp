// SPDX-License-Identifier: Apache-2.0
// How a gateway comes to a dataplane: with nothing, with its own memory, or with the journal of one
// that died.
#include "control/config/parse.h"
#include "control/config/render.h"
#include "control/gateway.h"
#include "control/ike/codec.h"
#include "control/ike/state.h"
#include "control/journal_kinds.h"

#include <algorithm>

namespace adit {

namespace {

/// So many controls in a row may die of the journal before the next one begins with nothing.
constexpr std::uint32_t kMaxReadings = 3;

void append(std::vector<JournalEntry>& all, std::vector<JournalEntry> more) {
    std::ranges::move(more, std::back_inserter(all));
}

JournalEntry configuration_entry(const config::Config& config, std::uint64_t startup_digest) {
    ike::Saver saver;
    saver(startup_digest, config::render(config, config::Secrets::Clear));
    return {journal_key(JournalKind::Configuration, 0), saver.take()};
}

} // namespace

// ---------------------------------------------------------------------------------------------------
// Into the journal

void Gateway::set_startup_text(std::string_view text) {
    startup_digest_ = ike::digest_of(as_bytes(text));
    written_config_.reset();
    write_configuration();
}

void Gateway::write_configuration() {
    if (!journal_)
        return;
    std::vector<JournalEntry> entries = policy_numbers_.take_memory();
    if (std::exchange(written_config_, config_) != config_)
        entries.push_back(configuration_entry(*config_, startup_digest_));
    write_down(entries);
}

void Gateway::write_down(const ike::Actions& actions) {
    if (!journal_)
        return;
    std::vector<JournalEntry> entries = engine_->take_memory(actions);
    append(entries, policy_numbers_.take_memory());
    write_down(entries);
}

void Gateway::write_down(const std::vector<JournalEntry>& entries) {
    if (!journal_ || entries.empty())
        return;
    for (const JournalEntry& entry : entries)
        journal_->write(entry);
    journal_->commit();
}

void Gateway::write_down_everything() {
    std::vector<JournalEntry> all = engine_->whole_memory();
    append(all, db_.whole_memory());
    append(all, policy_numbers_.whole_memory());
    all.push_back(configuration_entry(*config_, startup_digest_));
    journal_->keep_only(all);
    written_config_ = config_;
}

void Gateway::shut_down() {
    handle(ike::Shutdown{});
    // Whoever comes next begins with the startup configuration and with no SA.
    if (journal_)
        journal_->keep_only({});
    journal_.reset();
}

// ---------------------------------------------------------------------------------------------------
// Out of it

void Gateway::open_journal() {
    const MutableBytes region = dataplane_.journal();
    Result<Journal> opened = Journal::open(region);
    if (!opened)
        log({Severity::Warning, "SYS", "JOURNAL_DISCARDED", opened.error().text, ""});
    journal_ = opened ? std::move(*opened) : Journal::start_over(region);
}

void Gateway::discard_journal(const std::string& why) {
    log({Severity::Warning, "SYS", "JOURNAL_DISCARDED", why, ""});
    journal_ = Journal::start_over(dataplane_.journal());
}

/// False when there was nothing to go on from.
bool Gateway::resume() {
    if (journal_->empty())
        return false;
    if (journal_->begin_reading() > kMaxReadings) {
        discard_journal("adit-control died " + std::to_string(kMaxReadings) +
                        " times while reading it; starting with nothing");
        return false;
    }
    const std::vector<JournalEntry> entries = journal_->entries();
    if (const Status resumed = resume_from(entries); !resumed) {
        discard_journal(resumed.error().text);
        policy_numbers_.keep_taken({});
        return false;
    }
    return true;
}

Status Gateway::resume_from(const std::vector<JournalEntry>& entries) {
    TRY_VOID(policy_numbers_.resume(entries));
    TRY_VOID(db_.resume(entries));
    resume_configuration(entries);
    make_tables();
    handle(ike::Reconfigure{provision_.engine});
    ike::Engine::Resumed resumed = TRY(engine_->resume(entries, MonotonicClock::now()));
    resumed_sas_ = std::move(resumed.installed);
    unanswered_ = std::move(resumed.unanswered);
    const ipc::ChannelConfig& channel = dataplane_.channel().config();
    installer_.resume(channel.workers, channel.max_sas, resumed.spis);
    policy_numbers_.keep_taken(resumed.policy_numbers);
    for (const ike::AddPolicyAction& policy : resumed.policies)
        runtime_policies_.add(policy, provision_);
    resume_tunnels();
    log({Severity::Notice,
         "SYS",
         "RESUMED",
         std::to_string(resumed.sessions) + " ISAKMP SA(s) and " +
             std::to_string(engine_->child_sas().size()) +
             " pair(s) of IPsec SAs taken over from the adit-control before",
         ""});
    return {};
}

/// What ran, runs on, also what was not saved; unless the administrator has changed the startup
/// configuration since.
void Gateway::resume_configuration(const std::vector<JournalEntry>& entries) {
    const auto entry = std::ranges::find_if(entries, [](const JournalEntry& one) {
        return is_kind(one.key, JournalKind::Configuration);
    });
    if (entry == entries.end())
        return;
    std::uint64_t startup_digest{};
    std::string text;
    ike::Loader loader{entry->octets.view()};
    loader(startup_digest, text);
    if (!loader.done() || text == config::render(*config_, config::Secrets::Clear))
        return;
    if (startup_digest != startup_digest_) {
        log({Severity::Notice,
             "SYS",
             "RESUMED",
             "the startup configuration was changed since the adit-control before read it: it "
             "counts",
             ""});
        return;
    }
    config::ParseResult parsed = config::parse_config(text);
    if (!parsed.ok())
        return;
    config_ = std::make_shared<const config::Config>(std::move(parsed.config));
    read_trustpoints();
    log({Severity::Notice,
         "SYS",
         "RESUMED",
         "the running configuration, which was not saved, is taken over",
         ""});
}

/// Tunnels with an SA to send by never went down; reverse routes lead where they led.
void Gateway::resume_tunnels() {
    const Instant now = MonotonicClock::now();
    (void)tunnels_.configure(provision_.tunnels, now);
    for (const ike::ChildSaView& child : engine_->child_sas()) {
        if (child.current)
            (void)runtime_policies_.lead_to(child.policy, child.remote.address, provision_);
        if (db_.find(child.outbound_sa) == nullptr)
            continue;
        tunnels_.expect(child.outbound_sa, child.policy);
        (void)tunnels_.installed(child.outbound_sa, now);
    }
}

// ---------------------------------------------------------------------------------------------------
// Attaching

void Gateway::read_ports() {
    const ipc::ChannelConfig& channel = dataplane_.channel().config();
    ports_.clear();
    for (std::size_t i = 0; i < channel.port_names.size(); ++i) {
        const auto mtu =
            ipc::read(dataplane_.channel().port_stats(static_cast<std::uint32_t>(i)).port_mtu);
        ports_.push_back({channel.port_names[i],
                          InterfaceIndex{static_cast<std::uint16_t>(i)},
                          mtu == 0 ? 1500 : static_cast<std::uint32_t>(mtu)});
    }
    policy_numbers_.set_limit(channel.max_policies);
}

void Gateway::on_attached(bool known) {
    read_ports();
    open_journal();
    const bool goes_on = known || resume();
    if (!known)
        note_links(goes_on);
    if (!goes_on)
        start_over();
    else if (known)
        runtime_policies_.reattached();
    write_down_everything();
    adopting_ = true;
    adopt_sas([this, known, goes_on] {
        adopting_ = false;
        provision();
        if (journal_) // not when we were asked to stop meanwhile
            journal_->settled();
        // What the engine believed to be installed is gone with the dataplane that had it. The
        // peers are told, so that they do not send into a hole.
        if (!goes_on)
            handle(ike::ClearPhase2{});
        dataplane_.take_datagrams(true);
        if (!known)
            log({Severity::Notice,
                 "SYS",
                 "PROVISIONED",
                 "interfaces, routes and policies are set",
                 ""});
    });
}

/// The dataplane reports every link to a new control. One that goes on says only what has changed:
/// the control before has said the rest.
void Gateway::note_links(bool goes_on) {
    links_.clear();
    if (!goes_on)
        return;
    for (const PortInfo& port : ports_)
        links_[port.index.value] =
            ipc::read(dataplane_.channel().port_stats(port.index.value).link_up) != 0;
}

void Gateway::on_lost() {
    journal_.reset();
    adopting_ = false;
    provisioned_ = false;
}

/// A dataplane that has nothing of ours, and counts from zero.
void Gateway::start_over() {
    const ipc::ChannelConfig& channel = dataplane_.channel().config();
    interface_baseline_.clear();
    installer_.start_over(channel.workers, channel.max_sas);
    runtime_policies_.start_over();
    for (const TunnelKeeper::Change& change : tunnels_.start_over(MonotonicClock::now()))
        log_line_protocol(change);
}

void Gateway::adopt_sas(std::function<void()> then) {
    installer_.adopt_all(
        {.missing = [this](SaId sa) { resumed_sas_.push_back(sa); },
         .limit_passed = [this](SaId sa, bool hard) { handle(ike::SaLimitReached{sa, hard}); },
         .done =
             [this, then = std::move(then)] {
                 settle_differences();
                 then();
             }});
}

/// A control may die between any two of what it does about one event: the rest is done now.
void Gateway::settle_differences() {
    for (const sa::InstalledSa& sa : db_.all())
        if (!engine_->knows(sa.sa))
            installer_.remove({sa.sa, sa.spi, sa.inbound});
    std::map<SaId, ike::InstallSaAction> unanswered = std::exchange(unanswered_, {});
    for (const auto& [sa, install] : unanswered)
        if (db_.find(sa) != nullptr)
            on_installed({sa, true, {}});
    for (const SaId sa : std::exchange(resumed_sas_, {})) {
        if (db_.find(sa) != nullptr || !engine_->knows(sa))
            continue;
        if (const auto install = unanswered.find(sa); install != unanswered.end())
            installer_.install(std::move(install->second));
        else
            on_installed({sa, false, "the dataplane does not have it"});
    }
}

} // namespace adit

// SPDX-License-Identifier: Apache-2.0
// EXEC mode: the configuration as a whole. Saved, copied, compared, replaced, and taken back unless
// it is confirmed.
#include "control/cli/grammar.h"
#include "control/cli/session.h"
#include "control/cli/show_machine.h"
#include "control/config/difference.h"
#include "control/config/parse.h"
#include "control/config/render.h"

#include <algorithm>
#include <cctype>

namespace adit::cli {

namespace {

using config::Secrets;

/// "flash:NAME" or "NAME".
std::string file_name(std::string word) {
    constexpr std::string_view kFlash = "flash:";
    if (word.starts_with(kFlash))
        word.erase(0, kFlash.size());
    while (word.starts_with('/'))
        word.erase(0, 1);
    return word;
}

std::string running_text(Session& session, Secrets secrets) {
    return config::render(*session.host().running_config(), secrets);
}

// --- saving --------------------------------------------------------------------------------------

std::string save(Session& session) {
    if (const Status saved = session.host().save_config(); !saved)
        return session.answer(saved);
    return "Building configuration...\n[OK]\n";
}

std::string write_memory(Session& session, const Match&) {
    return save(session);
}

std::string save_as(Session& session, const std::string& name) {
    const std::string text = running_text(session, Secrets::Clear);
    if (const Status saved = session.host().write_file(name, text); !saved)
        return session.answer(saved);
    return std::to_string(text.size()) + " bytes copied\n";
}

std::string copy_to_startup(Session& session, const Match&) {
    return session.ask(
        {"Destination filename [startup-config]? ", [](Session& now, const std::string& answer) {
             return answer.empty() || answer == "startup-config" ? save(now)
                                                                 : save_as(now, file_name(answer));
         }});
}

std::string copy_to_file(Session& session, const Match& match) {
    return save_as(session, file_name(match.text(ArgKind::Name)));
}

// --- taking over ---------------------------------------------------------------------------------

/// Every reason, so that one look shows what is wrong with the file.
std::string list_errors(const std::vector<config::Problem>& problems) {
    std::string text;
    for (const config::Problem& problem : problems)
        if (problem.severity == config::ProblemSeverity::Error)
            text += config::to_string(problem) + '\n';
    return text;
}

std::string replace_with(Session& session, const std::string& text) {
    config::ParseResult parsed = config::parse_config(text);
    if (!parsed.ok()) {
        const std::string reasons = list_errors(parsed.problems);
        return session.refuse("The configuration was not changed:") + reasons;
    }
    if (const Status applied = session.host().apply_config(std::move(parsed.config)); !applied)
        return session.answer(applied);
    session.host().log({.severity = Severity::Notice,
                        .facility = "SYS",
                        .mnemonic = "CONFIG_I",
                        .text = "Configured from console by " + session.options().user + " on vty" +
                                std::to_string(session.options().vty)});
    return "Total number of passes: 1\nRollback Done\n";
}

bool is_yes(std::string answer) {
    std::ranges::transform(answer, answer.begin(), [](unsigned char c) { return std::tolower(c); });
    return answer == "y" || answer == "yes";
}

std::string replace(Session& session, const Match& match) {
    const auto text = session.host().read_file(file_name(match.text(ArgKind::Name)));
    if (!text)
        return session.refuse(text.error().text);
    const bool timed = match.argument(ArgKind::Number) != nullptr;
    const std::chrono::minutes revert{timed ? match.number() : 0};
    const auto go = [text = *text, revert](Session& now) {
        if (revert.count() > 0)
            if (const Status armed = now.host().arm_revert(revert); !armed)
                return now.answer(armed);
        return replace_with(now, text);
    };
    if (match.has("force") || !session.options().interactive)
        return go(session);
    return session.ask({"This will replace the running configuration. Go on? [no]: ",
                        [go](Session& now, const std::string& answer) {
                            return is_yes(answer) ? go(now) : std::string{"Abandoned\n"};
                        }});
}

/// Lines of a file on top of what runs.
std::string merge(Session& session, const std::string& text) {
    config::Editor editor{*session.host().running_config(), config::Source::IndentedText};
    std::string refused;
    std::size_t begin = 0;
    unsigned number = 0;
    while (begin < text.size() && !editor.ended()) {
        const std::size_t end = std::min(text.find('\n', begin), text.size());
        const std::string_view line = std::string_view{text}.substr(begin, end - begin);
        const config::Verdict verdict = editor.line(line, ++number);
        using Kind = config::Verdict::Kind;
        if (verdict.kind != Kind::Done && verdict.kind != Kind::Empty &&
            verdict.kind != Kind::Ignored)
            refused += "line " + std::to_string(number) + ": " + std::string{line} + '\n';
        begin = end + 1;
    }
    if (!refused.empty())
        return session.refuse("The configuration was not changed; refused are") + refused;
    return session.answer(session.host().apply_config(editor.config()));
}

std::string copy_to_running(Session& session, const Match& match) {
    const auto text = match.has("startup-config")
                          ? session.host().startup_config()
                          : session.host().read_file(file_name(match.text(ArgKind::Name)));
    return text ? merge(session, *text) : session.refuse(text.error().text);
}

// --- taking back ---------------------------------------------------------------------------------

std::string configure(Session& session, const Match& match) {
    if (match.has("timer"))
        if (const Status armed = session.host().arm_revert(std::chrono::minutes{match.number()});
            !armed)
            return session.answer(armed);
    session.configure();
    return "Enter configuration commands, one per line.  End with CNTL/Z.\n";
}

std::string confirm(Session& session, const Match&) {
    return session.answer(session.host().confirm_config());
}

std::string revert(Session& session, const Match& match) {
    if (match.has("now"))
        return session.answer(session.host().revert_now());
    return session.answer(session.host().arm_revert(std::chrono::minutes{match.number()}));
}

std::string rollback_timer(Session& session, const Match&) {
    const auto due = session.host().revert_due();
    if (!due)
        return "%No Rollback Confirmed Change pending\n";
    return "Rollback Confirmed Change pending: the former configuration comes back in " +
           std::to_string(due->count()) + " seconds unless it is confirmed\n";
}

// --- looking -------------------------------------------------------------------------------------

/// A saved text as eyes may see it: its secrets hidden.
std::string without_secrets(const std::string& text) {
    return config::render(config::parse_config(text).config, Secrets::Hidden);
}

std::string startup(Session& session, const Match&) {
    const auto text = session.host().startup_config();
    if (!text)
        return session.refuse("startup-config is not present");
    const std::string shown = without_secrets(*text);
    return "Using " + std::to_string(shown.size()) + " out of " +
           std::to_string(config::kMaxConfigBytes) + " bytes\n!\n" + shown;
}

Result<std::string> text_named(Session& session, const std::string& word) {
    if (word == "system:running-config" || word == "running-config")
        return running_text(session, Secrets::Clear);
    if (word == "nvram:startup-config" || word == "startup-config")
        return session.host().startup_config();
    return session.host().read_file(file_name(word));
}

/// Of two texts, which are named or else the startup and the running one.
std::string differences(Session& session, const Match& match) {
    const std::string first = match.text(ArgKind::Name, 0);
    const std::string second = match.text(ArgKind::Name, 1);
    const auto from = text_named(session, first.empty() ? "startup-config" : first);
    const auto to = text_named(session, second.empty() ? "running-config" : second);
    if (!from || !to)
        return session.refuse(from ? to.error().text : from.error().text);
    const std::string text =
        config::differences(config::parse_config(*from).config, config::parse_config(*to).config);
    return "!Contextual Config Diffs:\n" + (text.empty() ? "!No changes were found\n" : text);
}

std::string directory(Session& session, const Match& match) {
    const Machine machine = session.host().machine();
    const std::string name = file_name(match.text(ArgKind::Name));
    if (name.empty())
        return show_directory(machine);
    Machine one = machine;
    std::erase_if(one.files, [&](const StoredFile& file) { return file.name != name; });
    if (one.files.empty()) {
        session.refuse("");
        return "%Error opening flash:/" + name + " (No such file or directory)\n";
    }
    return show_directory(one);
}

std::string archive(Session&, const Match&) {
    return "Archive feature not enabled\n";
}

constexpr Row kRows[] = {
    privileged("configure terminal [revert timer <1-120>]",
               "Configure from the terminal, for good or until the timer ends",
               configure),
    privileged("configure confirm", "Keep what was configured under a timer", confirm),
    privileged("configure revert {now|timer <1-120>}",
               "Bring the former configuration back, now or later",
               revert),
    privileged("configure replace NAME [force] [timer <1-120>]",
               "Replace the running configuration by a file",
               replace),
    privileged("write [memory]", "Save the running configuration", write_memory),
    privileged(
        "copy running-config startup-config", "Save the running configuration", copy_to_startup),
    privileged(
        "copy running-config NAME", "Keep the running configuration in a file", copy_to_file),
    privileged("copy {startup-config|NAME} running-config",
               "Add the lines of a file to the running configuration",
               copy_to_running),
    privileged("dir [NAME]", "Files beside the startup configuration", directory),
    privileged("show startup-config", "Saved configuration, keys hidden", startup),
    privileged("show archive", "Whether configurations are archived", archive),
    privileged("show archive config rollback timer", "What waits to be confirmed", rollback_timer),
    privileged("show archive config differences [NAME] [NAME]",
               "Lines in one configuration and not in the other",
               differences),
    privileged("show configuration differences", "What is not saved", differences),
};

} // namespace

std::span<const Row> file_rows() {
    return kRows;
}

} // namespace adit::cli

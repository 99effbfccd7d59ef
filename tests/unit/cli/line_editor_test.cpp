// SPDX-License-Identifier: Apache-2.0
#include "control/client/line_editor.h"
#include "control/client/options.h"
#include "control/client/pager.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <random>

namespace adit::client {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// What a terminal of one endless row shows after CR, LF, BS and printable characters.
class Screen {
  public:
    void print(const std::string& bytes) {
        for (const char c : bytes) {
            if (c == '\r')
                column_ = 0;
            else if (c == '\n')
                rows_.emplace_back();
            else if (c == '\b')
                column_ -= column_ > 0 ? 1 : 0;
            else if (c != '\a')
                put(c);
        }
    }

    std::string row() const {
        std::string text = rows_.back();
        while (text.ends_with(' '))
            text.pop_back();
        return text;
    }

    std::size_t column() const { return column_; }

  private:
    void put(char c) {
        std::string& row = rows_.back();
        if (row.size() <= column_)
            row.resize(column_ + 1, ' ');
        row[column_++] = c;
    }

    std::vector<std::string> rows_{""};
    std::size_t column_{0};
};

class LineEditorTest : public testing::Test {
  protected:
    LineEditorTest() { screen.print(editor.begin("gw#", Echo::On)); }

    /// Types keys; the last event.
    EditorEvent type(std::string_view keys) {
        EditorEvent event = EditorEvent::None;
        output.clear();
        for (const char key : keys) {
            const LineEditor::Step step = editor.key(key);
            output += step.output;
            screen.print(step.output);
            if (step.event != EditorEvent::None)
                event = step.event;
        }
        return event;
    }

    /// Types a line and begins the next.
    void enter(std::string_view line) {
        EXPECT_EQ(type(std::string{line} + "\r"), EditorEvent::Line);
        EXPECT_EQ(editor.line(), line);
        screen.print(editor.begin("gw#", Echo::On));
    }

    /// The screen shows prompt and line with the cursor `left` characters before its end.
    void expect_shown(const std::string& line, std::size_t left = 0) {
        EXPECT_EQ(editor.line(), line);
        std::string row = "gw#" + line;
        row.erase(row.find_last_not_of(' ') + 1);
        EXPECT_EQ(screen.row(), row);
        EXPECT_EQ(screen.column(), 3 + line.size() - left);
    }

    LineEditor editor{64};
    Screen screen;
    std::string output;
};

TEST_F(LineEditorTest, EchoesWhatIsTypedAndNothingElse) {
    type("terminal width 511");
    EXPECT_EQ(output, "terminal width 511");
}

TEST_F(LineEditorTest, TakesCrLfAndCrLfAsOneEnter) {
    EXPECT_EQ(type("a\r"), EditorEvent::Line);
    EXPECT_EQ(output, "a\r\n");
    editor.begin("gw#", Echo::On);
    EXPECT_EQ(type("\n"), EditorEvent::None) << "second half of CR LF";
    EXPECT_EQ(type("\n"), EditorEvent::Line) << "a second Enter";
    editor.begin("gw#", Echo::On);
    EXPECT_EQ(type("b\n"), EditorEvent::Line);
    EXPECT_EQ(editor.line(), "b");
}

TEST_F(LineEditorTest, ErasesBackwardsWithBackspaceAndBlank) {
    type("ab");
    type("\x7f");
    EXPECT_EQ(output, "\b \b");
    type("\b");
    expect_shown("");
    type("\b");
    EXPECT_EQ(output, "") << "nothing left of the first column";
}

TEST_F(LineEditorTest, EditsInTheMiddle) {
    type("shw clock");
    type("\x01\x06\x06"); // Ctrl-A, Ctrl-F twice
    type("o");
    expect_shown("show clock", 7);
    type("\x04"); // Ctrl-D: w
    expect_shown("sho clock", 6);
    type("\x02\x02"); // Ctrl-B twice
    type("\b");
    expect_shown("ho clock", 8);
    type("\x05!"); // Ctrl-E
    expect_shown("ho clock!");
}

TEST_F(LineEditorTest, KillsAndYanks) {
    type("show crypto isakmp sa");
    type("\x17\x17"); // Ctrl-W twice
    expect_shown("show crypto ");
    type("\x19"); // Ctrl-Y: the last word killed
    expect_shown("show crypto isakmp ");
    type("\x15"); // Ctrl-U
    expect_shown("");
    type("\x19");
    expect_shown("show crypto isakmp ");
    type("\x01\x06\x06\x06\x06\x0b"); // Ctrl-A, four right, Ctrl-K
    expect_shown("show");
}

TEST_F(LineEditorTest, MovesByWordsAndNamedKeys) {
    type("one two three");
    type("\x1b"
         "b\x1b"
         "b"); // Esc-B twice
    expect_shown("one two three", 9);
    type("\x1b"
         "d"); // Esc-D
    expect_shown("one  three", 6);
    type("\x1b"
         "f"); // Esc-F
    expect_shown("one  three");
    type("\x1b[H");
    expect_shown("one  three", 10);
    type("\x1b[3~"); // Delete
    expect_shown("ne  three", 9);
    type("\x1b[4~\x1b[D\x1b[D\x1b[C");
    expect_shown("ne  three", 1);
    type("\x1bOF\x1b[1~\x1bOC");
    expect_shown("ne  three", 8);
}

TEST_F(LineEditorTest, IgnoresKeysItDoesNotKnow) {
    type("a\x1b[24~\x1b[1;5Pb\x1bxc\x07\x0f");
    expect_shown("abc");
    type("\x1b[" + std::string(100, '1')); // cut off, not collected for ever
    type("~z");
    EXPECT_TRUE(editor.line().ends_with("z"));
}

TEST_F(LineEditorTest, WalksItsHistory) {
    enter("first");
    enter("second");
    enter("second"); // remembered once
    enter("  ");     // not at all
    type("typing");
    type("\x1b[A");
    expect_shown("second");
    type("\x10"); // Ctrl-P
    expect_shown("first");
    type("\x10");
    expect_shown("first");
    type("\x0e\x1b[B"); // Ctrl-N, down: what was being typed
    expect_shown("typing");
    type("\x0e");
    expect_shown("typing");
}

TEST_F(LineEditorTest, BoundsItsHistory) {
    for (std::size_t i = 0; i < LineEditor::kMaxHistory + 10; ++i)
        enter("line " + std::to_string(i));
    for (std::size_t i = 0; i < LineEditor::kMaxHistory + 10; ++i)
        type("\x10");
    expect_shown("line 10");
}

TEST_F(LineEditorTest, AsksAtOnceAndTypesTheLineAgain) {
    EXPECT_EQ(type("show ?"), EditorEvent::Question);
    EXPECT_EQ(output, "show ?\r\n");
    EXPECT_EQ(editor.before_cursor(), "show ");
    EXPECT_EQ(editor.resume("gw#"), "gw#show ");
    EXPECT_EQ(type("clock\r"), EditorEvent::Line);
    EXPECT_EQ(editor.line(), "show clock");
}

TEST_F(LineEditorTest, AsksAboutWhatStandsLeftOfTheCursor) {
    type("show clock\x1b"
         "b");
    EXPECT_EQ(type("?"), EditorEvent::Question);
    EXPECT_EQ(editor.before_cursor(), "show ");
    EXPECT_EQ(editor.resume("gw#"), "gw#show clock\b\b\b\b\b");
}

TEST_F(LineEditorTest, TakesAQuotedQuestionMark) {
    EXPECT_EQ(type("key a\x16?b\r"), EditorEvent::Line);
    EXPECT_EQ(editor.line(), "key a?b");
}

TEST_F(LineEditorTest, CompletesByAddingOnly) {
    EXPECT_EQ(type("sh\t"), EditorEvent::Complete);
    EXPECT_EQ(editor.completed("show "), "ow ");
    EXPECT_EQ(editor.line(), "show ");
    EXPECT_EQ(editor.completed("show "), "");
    EXPECT_EQ(editor.completed("something else"), "");
    EXPECT_EQ(editor.line(), "show ");
}

TEST_F(LineEditorTest, SignalsTheKeysThatLeave) {
    EXPECT_EQ(type("half\x03"), EditorEvent::Interrupt);
    EXPECT_EQ(output, "half^C\r\n");
    editor.begin("gw#", Echo::On);
    EXPECT_EQ(type("half\x1a"), EditorEvent::LeaveConfiguration);
    EXPECT_EQ(editor.line(), "half");
    editor.begin("gw#", Echo::On);
    EXPECT_EQ(type("x\x04"), EditorEvent::None) << "Ctrl-D ends an empty line only";
    type("\x15");
    EXPECT_EQ(type("\x04"), EditorEvent::EndOfInput);
}

TEST_F(LineEditorTest, HidesSecrets) {
    EXPECT_EQ(editor.begin("Password: ", Echo::Off), "Password: ");
    EXPECT_EQ(type("se?c\bret\r"), EditorEvent::Line);
    EXPECT_EQ(output, "\r\n");
    EXPECT_EQ(editor.line(), "se?ret");
    editor.begin("gw#", Echo::On);
    type("\x10");
    EXPECT_EQ(editor.line(), "") << "nothing remembered";
}

TEST_F(LineEditorTest, RingsWhenTheLineIsFull) {
    type(std::string(64, 'x'));
    type("y");
    EXPECT_EQ(output, "\a");
    EXPECT_EQ(editor.line(), std::string(64, 'x'));
}

TEST_F(LineEditorTest, TreatsACharacterOfSeveralOctetsAsOne) {
    type("a\xc3\xa4");
    type("\x7f");
    EXPECT_EQ(output, "\b \b");
    EXPECT_EQ(editor.line(), "a");
}

TEST_F(LineEditorTest, MakesRoomForOtherText) {
    type("show cl\x02");
    EXPECT_EQ(editor.hide(), "\r          \r");
    EXPECT_EQ(editor.show(), "gw#show cl\b");
}

TEST_F(LineEditorTest, NeverWrapsByItselfAndBacksUpWithinARowOnly) {
    editor.set_columns(20);
    type("0123456789abcdefghij");
    EXPECT_EQ(output, "0123456789abcdefghij");
    type("\x7f");
    EXPECT_EQ(output, "\b \b") << "within the second row";
    type("\x7f\x7f\x7f");
    EXPECT_THAT(output, HasSubstr("\r\ngw#0123456789abcdef")) << "at the row's start: typed anew";
    EXPECT_EQ(editor.line(), "0123456789abcdef");
    EXPECT_EQ(editor.hide(),
              "\r          "
              "         \r");
}

TEST_F(LineEditorTest, SendsOnlyPlainCharactersWhateverIsTyped) {
    std::mt19937 random{20261123};
    for (int i = 0; i < 50'000; ++i) {
        const LineEditor::Step step = editor.key(static_cast<char>(random() % 256));
        for (const char c : step.output)
            EXPECT_TRUE(static_cast<unsigned char>(c) >= 0x20 || c == '\b' || c == '\r' ||
                        c == '\n' || c == '\a')
                << static_cast<int>(c);
        if (step.event == EditorEvent::Question)
            editor.resume("gw#");
        else if (step.event != EditorEvent::None && step.event != EditorEvent::Complete)
            editor.begin("gw#", Echo::On);
        ASSERT_LE(editor.line().size(), 64U);
    }
}

TEST_F(LineEditorTest, ShowsWhatItHoldsWhateverIsEdited) {
    std::mt19937 random{7};
    const std::string_view keys = "ab c\x01\x02\x04\x05\x06\x08\x0b\x15\x17\x19\x10\x0e";
    for (int i = 0; i < 20'000; ++i) {
        const char key = keys[random() % keys.size()];
        if (key == '\x04' && editor.line().empty())
            continue;
        type({&key, 1});
        std::string line = editor.line();
        while (line.ends_with(' '))
            line.pop_back();
        ASSERT_EQ(screen.row(), "gw#" + line) << i;
        ASSERT_EQ(screen.column(), 3 + editor.before_cursor().size()) << i;
    }
}

// --- pager ---------------------------------------------------------------------------------------

std::string lines(int count) {
    std::string text;
    for (int i = 1; i <= count; ++i)
        text += std::to_string(i) + '\n';
    return text;
}

constexpr const char* kErase = "\r          \r";

TEST(Pager, StopsAfterAPageLessOneLine) {
    Pager pager;
    pager.start(4);
    EXPECT_EQ(pager.write(lines(9)), "1\r\n2\r\n3\r\n --More-- ");
    EXPECT_TRUE(pager.waiting());
    EXPECT_EQ(pager.key(' '), std::string{kErase} + "4\r\n5\r\n6\r\n --More-- ");
    EXPECT_EQ(pager.key('\r'), std::string{kErase} + "7\r\n --More-- ");
    EXPECT_EQ(pager.key(' '), std::string{kErase} + "8\r\n9\r\n");
    EXPECT_FALSE(pager.waiting());
}

TEST(Pager, StopsForGoodOnAnyOtherKey) {
    Pager pager;
    pager.start(3);
    pager.write(lines(9));
    EXPECT_EQ(pager.key('q'), kErase);
    EXPECT_FALSE(pager.waiting());
    EXPECT_EQ(pager.write("more\n"), "");
    pager.start(3);
    EXPECT_EQ(pager.write("new\n"), "new\r\n");
}

TEST(Pager, DoesNotAskWhenThePageJustFits) {
    Pager pager;
    pager.start(4);
    EXPECT_EQ(pager.write(lines(3)), "1\r\n2\r\n3\r\n");
    EXPECT_FALSE(pager.waiting());
    EXPECT_EQ(pager.write("4\n"), " --More-- ");
    EXPECT_EQ(pager.write("5\n"), "") << "nothing overtakes the question";
    EXPECT_EQ(pager.key(' '), std::string{kErase} + "4\r\n5\r\n");
}

TEST(Pager, NeverAsksWithLengthZero) {
    Pager pager;
    pager.start(0);
    EXPECT_EQ(pager.write(lines(3)), "1\r\n2\r\n3\r\n");
    const std::string all = pager.write(lines(5'000));
    EXPECT_FALSE(pager.waiting());
    EXPECT_TRUE(all.ends_with("5000\r\n"));
}

TEST(Pager, JoinsLinesCutBetweenFrames) {
    Pager pager;
    pager.start(3);
    EXPECT_EQ(pager.write("ab"), "ab");
    EXPECT_EQ(pager.write("cd\nef\n"), "cd\r\nef\r\n");
    EXPECT_EQ(pager.write("g"), " --More-- ");
}

TEST(ScreenText, LetsNothingDriveTheTerminal) {
    EXPECT_EQ(screen_text("a\x1b[2Jb\tc\r\x7f\n"), "a?[2Jb\tc??\r\n");
    EXPECT_EQ(plain_text("a\x1b[2Jb\tc\r\x7f\n"), "a?[2Jb\tc??\n");
    EXPECT_EQ(screen_text("gr\xc3\xbc\xc3\x9f"), "gr\xc3\xbc\xc3\x9f");
}

// --- options -------------------------------------------------------------------------------------

TEST(Options, JoinWordsToOneCommand) {
    const auto options = parse_options({"show", "logging", "|", "include", "-6-", "--help"});
    ASSERT_TRUE(options);
    EXPECT_THAT(options->commands, ElementsAre("show logging | include -6- --help"));
    EXPECT_FALSE(options->help);
}

TEST(Options, TakeSeveralCommandsAndASocket) {
    const auto options =
        parse_options({"-c", "show version", "--socket", "/tmp/s", "-c", "show clock"});
    ASSERT_TRUE(options);
    EXPECT_THAT(options->commands, ElementsAre("show version", "show clock"));
    EXPECT_EQ(options->socket, "/tmp/s");
    EXPECT_THAT(parse_options({"--socket=/tmp/t", "show", "clock"})->commands,
                ElementsAre("show clock"));
    EXPECT_THAT(parse_options({"--", "-x"})->commands, ElementsAre("-x"));
}

TEST(Options, AreInteractiveByDefault) {
    const auto options = parse_options({});
    ASSERT_TRUE(options);
    EXPECT_THAT(options->commands, IsEmpty());
    EXPECT_EQ(options->socket, "/run/adit/control.sock");
    EXPECT_TRUE(parse_options({"-h"})->help);
    EXPECT_TRUE(parse_options({"--version"})->version);
}

TEST(Options, RefuseWhatTheyDoNotKnow) {
    for (const std::vector<std::string>& wrong :
         {std::vector<std::string>{"--nonsense"}, {"-c"}, {"--socket"}}) {
        const auto options = parse_options(wrong);
        ASSERT_FALSE(options) << wrong.front();
        EXPECT_THAT(options.error().text, HasSubstr("Try: adit --help"));
    }
}

TEST(Options, HelpHasAnExampleForEach) {
    const std::string help = help_text();
    for (const char* expected :
         {"adit show crypto isakmp sa", "-c 'show version'", "--socket /run"})
        EXPECT_THAT(help, HasSubstr(expected));
}

} // namespace
} // namespace adit::client

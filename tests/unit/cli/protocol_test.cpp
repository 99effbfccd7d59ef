// SPDX-License-Identifier: Apache-2.0
#include "control/cli/protocol.h"

#include <gtest/gtest.h>
#include <random>

namespace adit::cli {
namespace {

std::vector<ClientMessage> client_messages() {
    return {Hello{kProtocolVersion, true, 80, 24, "alice"},
            Hello{},
            Line{LineEnd::Enter, "show clock"},
            Line{LineEnd::LeaveConfiguration, ""},
            Line{LineEnd::Enter, std::string(kMaxLineBytes, 'x')},
            Question{"show "},
            Complete{"sh"},
            Interrupt{},
            WindowSize{511, 1000}};
}

std::vector<ServerMessage> server_messages() {
    return {Prompt{true, 24, 80, "gw-a#"},
            Prompt{false, 0, 0, "Password: "},
            Output{"line\nline\n"},
            Output{std::string(kMaxBodyBytes, 'x')},
            Completion{"show "},
            Done{true},
            Done{false},
            Async{"*Nov 23 09:00:04.420: %SYS-5-RESTART: ...\n"},
            Bye{""},
            Bye{"adit-control stops"}};
}

/// The one frame of these bytes.
Frame frame_of(const Bytes& bytes) {
    FrameReader reader;
    reader.append(bytes);
    auto frame = reader.next();
    EXPECT_TRUE(frame && *frame);
    EXPECT_EQ(reader.pending(), 0U);
    return frame && *frame ? **frame : Frame{};
}

TEST(Protocol, EveryMessageComesBackAsItWas) {
    for (const ClientMessage& message : client_messages()) {
        const auto back = decode_client(frame_of(encode(message)));
        ASSERT_TRUE(back) << back.error().text;
        EXPECT_EQ(*back, message);
    }
    for (const ServerMessage& message : server_messages()) {
        const auto back = decode_server(frame_of(encode(message)));
        ASSERT_TRUE(back) << back.error().text;
        EXPECT_EQ(*back, message);
    }
}

TEST(Protocol, RefusesFramesOfTheOtherDirection) {
    for (const ClientMessage& message : client_messages())
        EXPECT_FALSE(decode_server(frame_of(encode(message))));
    for (const ServerMessage& message : server_messages())
        EXPECT_FALSE(decode_client(frame_of(encode(message))));
}

TEST(Protocol, RefusesUnknownTypes) {
    for (unsigned type = 0; type < 256; ++type) {
        const Frame frame{static_cast<std::uint8_t>(type), {}};
        const auto from_client = decode_client(frame);
        const auto from_server = decode_server(frame);
        if (type < 1 || (type > 6 && type < 65) || type > 70) {
            ASSERT_FALSE(from_client);
            EXPECT_EQ(from_client.error().code, ErrorCode::Unsupported);
            EXPECT_FALSE(from_server);
        }
    }
}

TEST(Protocol, WaitsForTheRestOfEveryTruncatedFrame) {
    for (const ClientMessage& message : client_messages()) {
        const Bytes whole = encode(message);
        for (std::size_t length = 0; length < std::min<std::size_t>(whole.size(), 64); ++length) {
            FrameReader reader;
            reader.append(ByteView{whole}.first(length));
            const auto frame = reader.next();
            ASSERT_TRUE(frame) << length;
            EXPECT_FALSE(*frame) << length;
            reader.append(ByteView{whole}.subspan(length));
            EXPECT_TRUE(reader.next().value()) << length;
        }
    }
}

TEST(Protocol, RefusesOrReadsBodiesCutShortButNeverOverruns) {
    for (const ClientMessage& message : client_messages()) {
        Frame frame = frame_of(encode(message));
        while (!frame.body.empty()) {
            frame.body.pop_back();
            const auto back = decode_client(frame);
            EXPECT_TRUE(!back || *back != message);
        }
    }
    for (const ServerMessage& message : server_messages()) {
        Frame frame = frame_of(encode(message));
        while (!frame.body.empty()) {
            frame.body.pop_back();
            const auto back = decode_server(frame);
            EXPECT_TRUE(!back || *back != message);
        }
    }
}

TEST(Protocol, RefusesTrailingOctetsWhereNoTextEnds) {
    for (const ClientMessage& message : {ClientMessage{Interrupt{}}, {WindowSize{1, 2}}}) {
        Frame frame = frame_of(encode(message));
        frame.body.push_back(0);
        EXPECT_FALSE(decode_client(frame));
    }
    Frame done = frame_of(encode(ServerMessage{Done{}}));
    done.body.push_back(0);
    EXPECT_FALSE(decode_server(done));
}

TEST(Protocol, RefusesFlagsThatAreNeitherTrueNorFalse) {
    Frame done = frame_of(encode(ServerMessage{Done{}}));
    done.body[0] = 2;
    EXPECT_FALSE(decode_server(done));
    Frame line = frame_of(encode(ClientMessage{Line{}}));
    line.body[0] = 0xff;
    EXPECT_FALSE(decode_client(line));
}

TEST(Protocol, RefusesControlCharactersInLines) {
    EXPECT_TRUE(is_line("description a\tb \xc3\xa4"));
    for (const char* text : {"a\nb", "\x1b[2J", "a\rb", "\x7f", "\x03"}) {
        EXPECT_FALSE(is_line(text));
        EXPECT_FALSE(decode_client(frame_of(encode(ClientMessage{Line{LineEnd::Enter, text}}))));
        EXPECT_FALSE(decode_client(frame_of(encode(ClientMessage{Question{text}}))));
        EXPECT_FALSE(decode_client(frame_of(encode(ClientMessage{Hello{1, true, 0, 0, text}}))));
    }
    EXPECT_FALSE(is_line({"\0", 1}));
}

TEST(Protocol, RefusesLinesAndUsersThatAreTooLong) {
    EXPECT_FALSE(is_line(std::string(kMaxLineBytes + 1, 'x')));
    Frame line =
        frame_of(encode(ClientMessage{Line{LineEnd::Enter, std::string(kMaxLineBytes, 'x')}}));
    line.body.push_back('x');
    EXPECT_FALSE(decode_client(line));
    Frame hello =
        frame_of(encode(ClientMessage{Hello{1, true, 0, 0, std::string(kMaxUserBytes, 'u')}}));
    hello.body.push_back('u');
    EXPECT_FALSE(decode_client(hello));
}

TEST(Protocol, EncodingCutsWhatNoFrameTakes) {
    const Bytes bytes = encode(ServerMessage{Output{std::string(kMaxBodyBytes + 100, 'x')}});
    EXPECT_EQ(bytes.size(), kFrameHeaderBytes + kMaxBodyBytes);
    EXPECT_TRUE(decode_server(frame_of(bytes)));
}

TEST(Protocol, SplitsLongOutputIntoFrames) {
    std::string text;
    for (int i = 0; text.size() < 3 * kMaxBodyBytes + 10; ++i)
        text += std::to_string(i) + '\n';
    Bytes bytes;
    append_text(bytes, FrameType::Output, text);
    FrameReader reader;
    reader.append(bytes);
    std::string joined;
    unsigned frames = 0;
    for (auto frame = reader.next(); frame && *frame; frame = reader.next(), ++frames)
        joined += std::get<Output>(decode_server(**frame).value()).text;
    EXPECT_EQ(joined, text);
    EXPECT_EQ(frames, 4U);
    bytes.clear();
    append_text(bytes, FrameType::Output, "");
    EXPECT_TRUE(bytes.empty());
}

TEST(FrameReader, RefusesAHeaderThatCannotBe) {
    for (const Bytes& header :
         {Bytes{2, 1, 0, 0}, Bytes{2, 0, 0x40, 0x01}, Bytes{2, 0, 0xff, 0xff}}) {
        FrameReader reader;
        reader.append(header);
        EXPECT_FALSE(reader.next()) << to_hex(header);
    }
    FrameReader reader;
    reader.append(Bytes{2, 0, 0x40, 0x00}); // exactly kMaxBodyBytes: may still come
    EXPECT_TRUE(reader.next());
}

TEST(FrameReader, CutsAStreamOctetByOctet) {
    Bytes stream;
    for (const ClientMessage& message : client_messages()) {
        const Bytes frame = encode(message);
        stream.insert(stream.end(), frame.begin(), frame.end());
    }
    FrameReader reader;
    std::vector<ClientMessage> seen;
    for (const std::uint8_t octet : stream) {
        reader.append({&octet, 1});
        const auto frame = reader.next();
        ASSERT_TRUE(frame);
        if (*frame)
            seen.push_back(decode_client(**frame).value());
    }
    EXPECT_EQ(seen, client_messages());
    EXPECT_EQ(reader.pending(), 0U);
}

TEST(FrameReader, SurvivesRandomOctets) {
    std::mt19937 random{20261123};
    for (int round = 0; round < 5'000; ++round) {
        Bytes noise(random() % 64);
        for (std::uint8_t& octet : noise)
            octet = static_cast<std::uint8_t>(random() % 4 == 0 ? random() % 8 : random());
        FrameReader reader;
        reader.append(noise);
        for (auto frame = reader.next(); frame && *frame; frame = reader.next()) {
            const auto from_client = decode_client(**frame);
            const auto from_server = decode_server(**frame);
            EXPECT_FALSE(from_client && from_server);
        }
    }
}

TEST(FrameReader, SurvivesEveryFlippedBit) {
    for (const ClientMessage& message : client_messages()) {
        const Bytes whole = encode(message);
        for (std::size_t bit = 0; bit < std::min<std::size_t>(whole.size(), 32) * 8; ++bit) {
            Bytes broken = whole;
            broken[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
            FrameReader reader;
            reader.append(broken);
            const auto frame = reader.next();
            if (frame && *frame) {
                const auto back = decode_client(**frame);
                EXPECT_TRUE(!back || *back != message) << bit;
            }
        }
    }
}

} // namespace
} // namespace adit::cli

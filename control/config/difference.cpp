// SPDX-License-Identifier: Apache-2.0
#include "control/config/difference.h"

#include "control/config/render.h"

#include <algorithm>
#include <sstream>
#include <vector>

namespace adit::config {

namespace {

/// A line as it stands, and as it may be seen.
struct Line {
    std::string clear;
    std::string shown;
};

struct Block {
    Line head;
    std::vector<Line> body;
};

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream input(text);
    for (std::string line; std::getline(input, line);)
        if (line != "!" && line != "end")
            lines.push_back(line);
    return lines;
}

std::vector<Block> blocks_of(const Config& config) {
    const std::vector<std::string> clear = lines_of(render(config, Secrets::Clear));
    const std::vector<std::string> shown = lines_of(render(config, Secrets::Hidden));
    std::vector<Block> blocks;
    for (std::size_t i = 0; i < clear.size() && i < shown.size(); ++i) {
        if (clear[i].starts_with(' ') && !blocks.empty())
            blocks.back().body.push_back({clear[i].substr(1), shown[i].substr(1)});
        else
            blocks.push_back({{clear[i], shown[i]}, {}});
    }
    return blocks;
}

const Block* find(const std::vector<Block>& blocks, const Block& wanted) {
    const auto found = std::ranges::find_if(
        blocks, [&](const Block& block) { return block.head.clear == wanted.head.clear; });
    return found == blocks.end() ? nullptr : &*found;
}

/// Lines of one that the other lacks.
std::string body_lines(const char* sign, const Block& of, const Block* other) {
    std::string text;
    for (const Line& line : of.body)
        if (other == nullptr || std::ranges::none_of(other->body, [&](const Line& one) {
                return one.clear == line.clear;
            }))
            text += std::string(" ") + sign + line.shown + '\n';
    return text;
}

/// In another order, which for access lists is another meaning.
bool is_reordered(const Block& one, const Block& other) {
    return !std::ranges::equal(one.body, other.body, {}, &Line::clear, &Line::clear);
}

} // namespace

std::string differences(const Config& from, const Config& to) {
    const std::vector<Block> before = blocks_of(from);
    const std::vector<Block> after = blocks_of(to);
    std::string text;
    for (const Block& block : before)
        if (find(after, block) == nullptr)
            text += '-' + block.head.shown + '\n' + body_lines("-", block, nullptr);
    for (const Block& block : after) {
        const Block* was = find(before, block);
        if (was == nullptr) {
            text += '+' + block.head.shown + '\n' + body_lines("+", block, nullptr);
            continue;
        }
        std::string changes = body_lines("-", *was, &block) + body_lines("+", block, was);
        if (changes.empty() && is_reordered(*was, block))
            changes = body_lines("-", *was, nullptr) + body_lines("+", block, nullptr);
        if (!changes.empty())
            text += block.head.shown + '\n' + changes;
    }
    return text;
}

} // namespace adit::config

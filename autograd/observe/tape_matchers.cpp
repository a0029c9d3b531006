#include <fmt/format.h>

#include <algorithm>
#include <ostream>
#include <wengert/autograd/observe/memory.hpp>
#include <wengert/autograd/observe/tape_matchers.hpp>

namespace wengert {
namespace {

std::vector<std::string> recorded_names(const Tape& tape) {
    std::vector<std::string> names;
    for (NodeId id = 0; id < tape.size(); ++id)
        if (!tape[id].is_leaf()) names.emplace_back(tape[id].name());
    return names;
}

/// "tanh ×3, sum"
std::string run_lengths(const std::vector<std::string>& names) {
    std::string text;
    for (auto name = names.begin(); name != names.end();) {
        const auto end = std::find_if(name, names.end(), [&](const std::string& other) { return other != *name; });
        text += (text.empty() ? "" : ", ") + *name;
        if (end - name > 1) text += fmt::format(" ×{}", end - name);
        name = end;
    }
    return text;
}

}  // namespace

bool operator==(const Tape& tape, const RecordedOps& ops) { return recorded_names(tape) == ops.names; }
bool operator==(const Tape& tape, const RecordedCount& count) { return recorded_names(tape).size() == count.count; }
bool operator==(const Tape& tape, const MostBytes& most) { return saved_bytes(tape) <= most.bytes; }

std::ostream& operator<<(std::ostream& stream, const RecordedOps& ops) { return stream << run_lengths(ops.names); }
std::ostream& operator<<(std::ostream& stream, const RecordedCount& count) {
    return stream << fmt::format("{} nodes", count.count);
}
std::ostream& operator<<(std::ostream& stream, const MostBytes& most) {
    return stream << "at most " << describe_bytes(most.bytes);
}
std::ostream& operator<<(std::ostream& stream, const Tape& tape) {
    const std::vector<std::string> names = recorded_names(tape);
    return stream << fmt::format("{}: {} nodes that keep {}", run_lengths(names), names.size(),
                                 describe_bytes(saved_bytes(tape)));
}

}  // namespace wengert

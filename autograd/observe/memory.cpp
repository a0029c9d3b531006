#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <unordered_set>
#include <vector>
#include <wengert/autograd/observe/memory.hpp>

namespace wengert {
namespace {

/// The storages met so far, and their bytes.
class Storages {
  public:
    void add(const Node& node) {
        for (const Saved& saved : node.kept())
            if (const Storage* const storage = saved.tensor.defined() ? saved.tensor.state()->storage : nullptr;
                storage != nullptr && seen_.insert(storage).second)
                bytes_ += storage->bytes;
    }
    std::size_t bytes() const { return bytes_; }

  private:
    std::unordered_set<const Storage*> seen_;
    std::size_t bytes_ = 0;
};

}  // namespace

std::size_t saved_bytes(const Tape& tape) {
    Storages storages;
    for (NodeId id = 0; id < tape.size(); ++id) storages.add(tape[id]);
    return storages.bytes();
}

std::size_t saved_bytes(const Tape& tape, std::span<const NodeId> nodes) {
    Storages storages;
    for (const NodeId id : nodes) storages.add(tape[id]);
    return storages.bytes();
}

std::string describe_bytes(std::size_t bytes) {
    if (bytes < 1000) return fmt::format("{} bytes", bytes);
    if (bytes < 1000 * 1000) return fmt::format("{:.1f} kB", static_cast<double>(bytes) / 1e3);
    return fmt::format("{:.1f} MB", static_cast<double>(bytes) / 1e6);
}

std::string report(const Tape& tape) {
    struct Row {
        std::string op, scope;
        NodeId nodes = 0;
        std::size_t bytes = 0;
    };
    std::map<std::pair<std::int32_t, std::string_view>, Row> groups;
    Storages storages;
    NodeId released = 0;
    for (NodeId id = 0; id < tape.size(); ++id) {
        const Node& node = tape[id];
        Row& row = groups[{node.place().scope, node.name()}];
        row.op = node.name(), row.scope = scope_path(node.place().scope);
        const std::size_t before = storages.bytes();
        storages.add(node);
        row.bytes += storages.bytes() - before;
        ++row.nodes;
        released += node.released();
    }
    std::vector<Row> rows;
    for (auto& [key, row] : groups) rows.push_back(std::move(row));
    std::ranges::stable_sort(
        rows, [](const Row& a, const Row& b) { return a.bytes != b.bytes ? a.bytes > b.bytes : a.nodes > b.nodes; });
    const auto line = [](std::string_view op, std::string_view scope, const auto& nodes, std::string_view kept) {
        return fmt::format("{:<22} {:<32} {:>7} {:>12}\n", op, scope, nodes, kept);
    };
    std::string text = line("op", "scope", "nodes", "kept");
    for (const Row& row : rows) text += line(row.op, row.scope, row.nodes, describe_bytes(row.bytes));
    text += line("all", "", tape.size(), describe_bytes(storages.bytes()));
    if (released > 0) text += fmt::format("A backward pass has released what {} nodes kept.\n", released);
    return text;
}

std::string largest_scopes(const Tape& tape, std::size_t most) {
    std::map<std::int32_t, std::size_t> bytes;
    Storages storages;
    for (NodeId id = 0; id < tape.size(); ++id) {
        const std::size_t before = storages.bytes();
        storages.add(tape[id]);
        bytes[tape[id].place().scope] += storages.bytes() - before;
    }
    std::vector<std::pair<std::int32_t, std::size_t>> scopes(bytes.begin(), bytes.end());
    std::ranges::stable_sort(scopes, std::greater{}, [](const auto& scope) { return scope.second; });
    scopes.resize(std::min(scopes.size(), most));
    std::string text;
    for (const auto& [scope, kept] : scopes) {
        const std::string path(scope_path(scope));
        text +=
            fmt::format("{}{} {}", text.empty() ? "" : ", ", path.empty() ? "no scope" : path, describe_bytes(kept));
    }
    return fmt::format("{}{}in all {}", text, text.empty() ? "" : "; ", describe_bytes(storages.bytes()));
}

}  // namespace wengert

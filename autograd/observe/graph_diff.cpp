#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <wengert/autograd/observe/graph_diff.hpp>
#include <wengert/autograd/observe/memory.hpp>

namespace wengert {
namespace {

using Ops = std::vector<const TapeOutline::Op*>;
using ChangeKind = TapeChange::Kind;

/// The ops of one scope before and after.
struct Sides {
    std::string scope;
    Ops before, after;
};

std::vector<Sides> by_scope(const TapeOutline& before, const TapeOutline& after) {
    std::vector<Sides> sides;
    std::map<std::string, std::size_t> known;
    const auto find = [&](const std::string& scope) -> Sides& {
        const auto [found, is_new] = known.try_emplace(scope, sides.size());
        if (is_new) sides.push_back({scope, {}, {}});
        return sides[found->second];
    };
    for (const TapeOutline::Op& op : before.ops) find(op.scope).before.push_back(&op);
    for (const TapeOutline::Op& op : after.ops) find(op.scope).after.push_back(&op);
    return sides;
}

/// The edits of the shortest kind from one sequence of names to another, of Myers, An O(ND) difference algorithm and
/// its variations (Algorithmica 1986): time grows with what differs, not with what is there.
class Edits {
  public:
    Edits(const Ops& before, const Ops& after) : before_(before), after_(after) {
        const int most = std::min(static_cast<int>(before.size() + after.size()), most_edits);
        std::vector<int> reached(static_cast<std::size_t>(2 * most + 3), 0);  // how far each diagonal k = x - y goes
        const auto at = [most](int k) { return static_cast<std::size_t>(k + most + 1); };
        for (int edits = 0; edits <= most; ++edits) {
            history_.emplace_back(reached.begin() + static_cast<std::ptrdiff_t>(at(-edits) - 1),
                                  reached.begin() + static_cast<std::ptrdiff_t>(at(edits) + 2));
            for (int k = -edits; k <= edits; k += 2) {
                const bool down = k == -edits || (k != edits && reached[at(k - 1)] < reached[at(k + 1)]);
                int x = down ? reached[at(k + 1)] : reached[at(k - 1)] + 1;
                while (matches(x, x - k)) ++x;
                reached[at(k)] = x;
                if (x < size_before() || x - k < size_after()) continue;
                walk_back();
                return;
            }
        }
        for (int x = 0; x < size_before(); ++x) pairs_.emplace_back(x, -1);
        for (int y = 0; y < size_after(); ++y) pairs_.emplace_back(-1, y);
    }
    /// Positions before and after, in order; -1 where there is no counterpart.
    const std::vector<std::pair<int, int>>& pairs() const { return pairs_; }

  private:
    static constexpr int most_edits = 2000;  // memory grows with their square

    int size_before() const { return static_cast<int>(before_.size()); }
    int size_after() const { return static_cast<int>(after_.size()); }
    bool matches(int x, int y) const {
        return x >= 0 && y >= 0 && x < size_before() && y < size_after() &&
               before_[static_cast<std::size_t>(x)]->name == after_[static_cast<std::size_t>(y)]->name;
    }

    void walk_back() {
        int x = size_before(), y = size_after();
        for (int edits = static_cast<int>(history_.size()) - 1; edits >= 0; --edits) {
            const std::vector<int>& reached = history_[static_cast<std::size_t>(edits)];
            const auto at = [&](int k) { return reached[static_cast<std::size_t>(k + edits + 1)]; };
            const int k = x - y;
            const bool down = k == -edits || (k != edits && at(k - 1) < at(k + 1));
            const int from_x = edits == 0 ? 0 : down ? at(k + 1) : at(k - 1);
            const int from_y = edits == 0 ? 0 : from_x - (down ? k + 1 : k - 1);
            const int begin_x = edits == 0 ? 0 : down ? from_x : from_x + 1;
            while (x > begin_x && y > (edits == 0 ? 0 : down ? from_y + 1 : from_y)) pairs_.emplace_back(--x, --y);
            if (edits == 0) break;
            pairs_.emplace_back(down ? -1 : x - 1, down ? y - 1 : -1);
            x = from_x;
            y = from_y;
        }
        std::ranges::reverse(pairs_);
    }

    const Ops &before_, &after_;
    std::vector<std::vector<int>> history_;
    std::vector<std::pair<int, int>> pairs_;
};

void note(std::vector<TapeChange>& changes, TapeChange change) {
    if (!changes.empty()) {
        TapeChange& last = changes.back();
        if (last.kind == change.kind && last.scope == change.scope && last.op == change.op &&
            last.before == change.before && last.after == change.after) {
            ++last.count;
            return;
        }
    }
    changes.push_back(std::move(change));
}

}  // namespace

TapeOutline outline(const Tape& tape) {
    TapeOutline result;
    result.bytes = saved_bytes(tape);
    for (NodeId id = 0; id < tape.size(); ++id) {
        const Node& node = tape[id];
        if (node.is_leaf())
            ++result.leaves;
        else
            result.ops.push_back({scope_path(node.place().scope), std::string(node.name()),
                                  fmt::format("{} {}", to_string(node.shape()), to_string(node.dtype()))});
    }
    return result;
}

std::vector<TapeChange> diff(const TapeOutline& before, const TapeOutline& after) {
    std::vector<TapeChange> changes;
    for (const Sides& sides : by_scope(before, after)) {
        const Edits edits(sides.before, sides.after);
        for (const auto& [x, y] : edits.pairs()) {
            const TapeOutline::Op* const old = x < 0 ? nullptr : sides.before[static_cast<std::size_t>(x)];
            const TapeOutline::Op* const now = y < 0 ? nullptr : sides.after[static_cast<std::size_t>(y)];
            if (old == nullptr)
                note(changes, {ChangeKind::added, sides.scope, now->name, "", now->type});
            else if (now == nullptr)
                note(changes, {ChangeKind::removed, sides.scope, old->name, old->type, ""});
            else if (old->type != now->type)
                note(changes, {ChangeKind::changed, sides.scope, old->name, old->type, now->type});
        }
    }
    return changes;
}

std::string describe(const std::vector<TapeChange>& changes) {
    std::string text;
    const std::string* scope = nullptr;
    for (const TapeChange& change : changes) {
        if (scope == nullptr || *scope != change.scope) {
            text += (change.scope.empty() ? "(outside of scopes)" : change.scope) + '\n';
            scope = &change.scope;
        }
        const char sign = change.kind == ChangeKind::added ? '+' : change.kind == ChangeKind::removed ? '-' : '~';
        const std::string types =
            change.kind == ChangeKind::changed ? change.before + " -> " + change.after : change.before + change.after;
        text += fmt::format("  {} {} {}", sign, change.op, types);
        if (change.count > 1) text += fmt::format(", ×{}", change.count);
        text += '\n';
    }
    return text;
}

}  // namespace wengert

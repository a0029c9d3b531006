#include <algorithm>
#include <set>
#include <unordered_map>
#include <wengert/autograd/observe/internal/calls.hpp>

namespace wengert {
namespace {

std::vector<std::string> paths_down_to(const std::string& path) {
    std::vector<std::string> paths;
    for (std::size_t dot = path.find('.'); dot != path.npos; dot = path.find('.', dot + 1))
        paths.push_back(path.substr(0, dot));
    if (!path.empty()) paths.push_back(path);
    return paths;
}

/// The paths around each scope that a tape has, from the outermost to its own.
class ScopePaths {
  public:
    const std::vector<std::string>& of(std::int32_t scope) {
        const auto [found, is_new] = paths_.try_emplace(scope);
        if (is_new) found->second = paths_down_to(scope_path(scope));
        return found->second;
    }

  private:
    std::unordered_map<std::int32_t, std::vector<std::string>> paths_;
};

/// Tells loops apart, node by node.
class LoopFinder {
  public:
    /// The loop of the next op, Calls::none if it is in no step.
    int follow(const Place& place) {
        if (place.step < 0) {
            is_interrupted_ = true;
            return Calls::none;
        }
        // An op between two steps, as a program may have it, does not end a loop that goes on with what it did before.
        const bool goes_on = last_ != Calls::none && (!is_interrupted_ || scopes_.contains(place.scope)) &&
                             (place.step == step_ || !steps_.contains(place.step));
        if (!goes_on) {
            ++last_;
            steps_.clear();
            scopes_.clear();
        }
        step_ = place.step;
        steps_.insert(place.step);
        scopes_.insert(place.scope);
        is_interrupted_ = false;
        return last_;
    }

  private:
    int last_ = Calls::none;
    std::int32_t step_ = -1;
    bool is_interrupted_ = false;
    std::set<std::int32_t> steps_, scopes_;
};

std::size_t shared_length(const std::vector<std::string>& a, const std::vector<std::string>& b) {
    const auto [end, other] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
    return static_cast<std::size_t>(end - a.begin());
}

}  // namespace

Calls::Calls(const Tape& tape) {
    ScopePaths paths;
    LoopFinder finder;
    std::vector<std::vector<std::string>> shared;  // by the scopes of each loop
    for (NodeId id = 0; id < tape.size(); ++id) {
        const Place& place = tape[id].place();
        loops_.push_back(tape[id].is_leaf() ? none : finder.follow(place));
        if (loops_.back() == none) continue;
        const auto loop = static_cast<std::size_t>(loops_.back());
        const std::vector<std::string>& path = paths.of(place.scope);
        if (loop == shared.size())
            shared.push_back(path);
        else
            shared[loop].resize(shared_length(shared[loop], path));
    }

    std::vector<int> open;  // calls, from the outermost
    for (NodeId id = 0; id < tape.size(); ++id) {
        of_.push_back(none);
        if (tape[id].is_leaf()) continue;
        const Place& place = tape[id].place();
        const int loop = loops_[static_cast<std::size_t>(id)];
        std::vector<Call> chain;
        const auto add_step = [&](const std::string& path) { chain.push_back({path, none, loop, place.step}); };
        const std::size_t depth = loop == none ? std::string::npos : shared[static_cast<std::size_t>(loop)].size();
        if (depth == 0) add_step("");
        for (const std::string& path : paths.of(place.scope)) {
            chain.push_back({path, none, none, -1});
            if (chain.size() == depth) add_step(path);
        }
        const auto is_open = [this](int call, const Call& wanted) {
            const Call& found = (*this)[call];
            return found.path == wanted.path && found.loop == wanted.loop && found.step == wanted.step;
        };
        std::size_t kept = 0;
        while (kept < open.size() && kept < chain.size() && is_open(open[kept], chain[kept])) ++kept;
        open.resize(kept);
        for (; kept < chain.size(); ++kept) {
            chain[kept].parent = open.empty() ? none : open.back();
            open.push_back(size());
            calls_.push_back(std::move(chain[kept]));
        }
        if (!open.empty()) of_.back() = open.back();
    }
}

}  // namespace wengert

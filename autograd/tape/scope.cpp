#include <fmt/format.h>

#include <limits>
#include <map>
#include <utility>
#include <vector>
#include <wengert/autograd/tape/scope.hpp>
#include <wengert/autograd/tensor/error.hpp>

namespace wengert {
namespace {

/// Every path a thread has ever entered, once, so that a place is a small number.
struct ScopeTable {
    std::vector<std::string> paths{""};
    std::map<std::pair<std::int32_t, std::string>, std::int32_t, std::less<>> children;
};

ScopeTable& scope_table() {
    thread_local ScopeTable table;
    return table;
}

constinit thread_local Place place;

}  // namespace

Scope::Scope(std::string_view name) : outer_(place.scope) {
    ScopeTable& table = scope_table();
    const auto [child, is_new] =
        table.children.try_emplace({outer_, std::string(name)}, static_cast<std::int32_t>(table.paths.size()));
    if (is_new) {
        const std::string& parent = table.paths[static_cast<std::size_t>(outer_)];
        table.paths.push_back(parent.empty() ? std::string(name) : fmt::format("{}.{}", parent, name));
    }
    place.scope = child->second;
}

Scope::~Scope() { place.scope = outer_; }

Step::Step(std::int64_t index) : outer_(place.step) {
    if (index < 0 || index > std::numeric_limits<std::int32_t>::max())
        throw ValueError(fmt::format("step {} is outside [0, 2^31)", index));
    place.step = static_cast<std::int32_t>(index);
}
Step::~Step() { place.step = outer_; }

Place current_place() { return place; }

std::string scope_path(std::int32_t scope) { return scope_table().paths.at(static_cast<std::size_t>(scope)); }

std::string to_string(const Place& at) {
    std::string text = scope_path(at.scope);
    if (at.step >= 0) text += fmt::format("{}step {}", text.empty() ? "" : ", ", at.step);
    return text;
}

}  // namespace wengert

#include <fmt/format.h>

#include <limits>
#include <map>
#include <utility>
#include <vector>
#include <wengert/autograd/tape/scope.hpp>
#include <wengert/autograd/tensor/error.hpp>

namespace wengert {
namespace {

/// Every path that a thread has entered, once, so that a place is a small number.
struct ScopeTable {
    std::vector<std::string> paths{""};
    std::map<std::pair<std::int32_t, std::string>, std::int32_t, std::less<>> children;
};
/// A program whose scopes have ever new names, such as one for each request, must not fill the memory with them: a
/// thread that knows so many paths gives scopes with further ones the path of the scope around them.
constexpr std::size_t most_paths = 1 << 16;

ScopeTable& scope_table() {
    thread_local ScopeTable table;
    return table;
}

constinit thread_local Place place;

}  // namespace

Scope::Scope(std::string_view name) : outer_(place.scope) {
    ScopeTable& table = scope_table();
    std::pair key(outer_, std::string(name));
    const auto known = table.children.find(key);
    if (known != table.children.end()) {
        place.scope = known->second;
    } else if (table.paths.size() < most_paths) {
        const std::string& parent = table.paths[static_cast<std::size_t>(outer_)];
        std::string path = parent.empty() ? std::string(name) : fmt::format("{}.{}", parent, name);
        place.scope = static_cast<std::int32_t>(table.paths.size());
        table.paths.push_back(std::move(path));
        table.children.emplace(std::move(key), place.scope);
    }
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

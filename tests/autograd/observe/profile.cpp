// Covers autograd/tape/observer.hpp
#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <thread>
#include <wengert/autograd/observe/profile.hpp>
#include <wengert/autograd/tape/tape.hpp>

#include "autograd/tiny_ops.hpp"
#include "temporary_directory.hpp"

using namespace wengert;
using namespace tiny;

namespace {

/// Two products with one weight, whose gradients wait to be computed together, in two scopes.
void step(const Tensor& x, const Tensor& w) {
    Tape tape;
    Tensor h;
    {
        const Scope scope("model"), inner("first");
        h = product(x, w);
    }
    const Scope scope("model");
    const Tensor loss = sum(mul(product(h, w), h));
    tape.gradient(loss, w);
}

const OpCost& cost_of(const std::vector<OpCost>& costs, std::string_view op, std::string_view scope) {
    for (const OpCost& cost : costs)
        if (cost.op == op && cost.scope == scope) return cost;
    FAIL("no cost of " << op << " in " << scope);
    return costs.front();
}

}  // namespace

TEST_CASE("profile: a part is shown apart from its op, within its scope and pass") {
    const auto spend = [](double seconds) {
        const auto begin = std::chrono::steady_clock::now();
        while (std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count() < seconds) {
        }
    };
    Profile profile;
    const ObservedPart nobodys("ignored");
    {
        const Scope scope("model");
        const ObservedWork work("work", Pass::backward);
        const ObservedPart part("preparation"), inner("inner");
        spend(0.002);
    }
    const std::vector<OpCost> costs = profile.costs();
    REQUIRE(costs.size() == 2);
    const OpCost &part = cost_of(costs, "preparation", "model"), &work = cost_of(costs, "work", "model");
    CHECK(part.backward_seconds >= 0.002);
    CHECK(work.backward_seconds < part.backward_seconds);
    CHECK(work.backward_seconds >= 0);
    CHECK(part.forward_seconds + work.forward_seconds == 0);
}

TEST_CASE("profile: every op and rule is counted where it ran") {
    const Tensor x = matrix({1, 2, 3, 4}, 2);
    Tensor w = matrix({1, 0, 2, 1}, 2);
    w.set_parameter();
    step(x, w);  // outside of the profile
    Profile profile;
    step(x, w);
    step(x, w);
    const std::vector<OpCost> costs = profile.costs();
    double all = 0;
    for (std::size_t i = 0; i < costs.size(); ++i) {
        CAPTURE(costs[i].op);
        CHECK(costs[i].seconds() >= 0);
        if (i > 0) CHECK(costs[i].seconds() <= costs[i - 1].seconds());
        all += costs[i].seconds();
    }
    CHECK(all <= profile.seconds());
    for (const auto& [op, scope, calls] : {std::tuple{"product", "model.first", 2}, std::tuple{"product", "model", 2},
                                           std::tuple{"mul", "model", 2}, std::tuple{"sum", "model", 2}}) {
        const OpCost& cost = cost_of(costs, op, scope);
        CHECK(cost.calls == calls);
        CHECK(cost.forward_seconds > 0);
        CHECK(cost.backward_seconds > 0);
    }
}

TEST_CASE("profile: an optimizer's update is neither forward nor backward") {
    Profile profile;
    { const ObservedWork work("optimizer", Pass::update); }
    const OpCost cost = cost_of(profile.costs(), "optimizer", "");
    CHECK(cost.calls == 1);
    CHECK(cost.update_seconds > 0);
    CHECK(cost.forward_seconds + cost.backward_seconds == 0);
    CHECK(profile.moments().back().pass == Pass::update);
    CHECK(to_string(profile).find("update ms") != std::string::npos);
}

TEST_CASE("profile: an outer one that ends first leaves the inner one listening") {
    const Tensor x = vector({1});
    std::optional<Profile> outer(std::in_place), inner(std::in_place);
    outer.reset();
    mul(x, x);
    CHECK(inner->moments().size() == 1);
    inner.reset();
    CHECK_FALSE(Observer::is_listening());
}

TEST_CASE("profile: one that ends in another thread is not told any more") {
    const Tensor x = vector({1});
    auto profile = std::make_unique<Profile>();
    mul(x, x);
    std::thread([&] { profile.reset(); }).join();
    mul(x, x);
    { const Profile next; }
    CHECK_FALSE(Observer::is_listening());
}

TEST_CASE("profile: memory is seen after each op and each rule") {
    const Tensor x = full({1000}, 1, Dtype::float64);
    Tape tape;
    tape.watch(x);
    Profile profile;
    const Tensor y = mul(x, x), z = mul(y, y);
    const auto forward = profile.moments();
    REQUIRE(forward.size() == 2);
    CHECK(forward[1].live_bytes - forward[0].live_bytes >= 8000);
    CHECK(forward[1].seconds >= forward[0].seconds);
    CHECK(forward[0].pass == Pass::forward);
    tape.gradient(sum(z), x);
    CHECK(profile.moments().back().pass == Pass::backward);
}

TEST_CASE("profile: nothing is measured without one, nor by an outer one while an inner lives") {
    const Tensor x = vector({1});
    Profile outer;
    mul(x, x);
    {
        Profile inner;
        mul(x, x);
        CHECK(inner.moments().size() == 1);
    }
    mul(x, x);
    CHECK(outer.moments().size() == 2);
}

TEST_CASE("profile: the table and the picture name ops and scopes") {
    const Tensor x = matrix({1, 2, 3, 4}, 2);
    Tensor w = matrix({1, 0, 2, 1}, 2);
    w.set_parameter();
    Profile profile;
    const Scope scope("a<b");
    step(x, w);
    const std::string table = to_string(profile);
    CHECK(table.starts_with("op "));
    CHECK(table.find("a<b.model.first") != table.npos);
    CHECK(table.find("(outside ops)") != table.npos);

    const TemporaryDirectory directory;
    write_svg(profile, directory.path() / "profile.svg");
    const std::string picture = content_of(directory.path() / "profile.svg");
    CHECK(picture.starts_with("<svg "));
    CHECK(picture.find(">product<") != picture.npos);
    CHECK(picture.find(">a&lt;b.model.first<") != picture.npos);
    CHECK(picture.find("Memory of tensors and tape") != picture.npos);
    CHECK_THROWS_WITH_AS(write_svg(profile, "/missing/profile.svg"),
                         "/missing/profile.svg: cannot be written: No such file or directory", FileError);
}

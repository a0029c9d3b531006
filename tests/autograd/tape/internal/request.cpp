#include <doctest/doctest.h>

#include <thread>
#include <wengert/autograd/tape/tape.hpp>

#include "autograd/tiny_ops.hpp"

using namespace tiny;

TEST_CASE("request: a result that is not scalar takes a cotangent of its shape and type") {
    const Tensor x = vector({1, 2});
    Tape tape;
    tape.watch(x);
    const Tensor y = mul(x, x);
    CHECK(elements(tape.gradient(y, x, {.retain_graph = true, .cotangent = vector({3, -1})})) == Values{6, -4});
    CHECK_THROWS_WITH_AS(tape.gradient(y, x),
                         ("gradient: the result [2] is no scalar; give options.cotangent" + at_line()).c_str(),
                         ShapeError);
    const auto with = [&](const Tensor& cotangent) { return tape.gradient(y, x, {.cotangent = cotangent}); };
    const std::string where = at_line(-1);
    CHECK_THROWS_WITH_AS(with(vector({1})),
                         ("gradient: the cotangent [1] float64 is not like the result [2] float64" + where).c_str(),
                         ShapeError);
    CHECK_THROWS_WITH_AS(with(tensor({1, 2})),
                         ("gradient: the cotangent [2] float32 is not like the result [2] float64" + where).c_str(),
                         ShapeError);
}

TEST_CASE("request: a result of one element needs no cotangent, whatever its rank") {
    const Tensor x = matrix({3}, 1);
    Tape tape;
    tape.watch(x);
    const Tensor g = tape.gradient(mul(x, x), x);
    CHECK(g.shape() == Shape{1, 1});
    CHECK(g.item() == 6);
}

TEST_CASE("request: inputs and results that were never recorded") {
    const Tensor x = vector({1, 2}), constant = vector({3, 4});
    Tape tape;
    tape.watch(x);
    const Tensor y = sum(mul(x, constant));
    CHECK_THROWS_WITH_AS(
        tape.gradient(y, {x, constant}),
        ("gradient: input 1 [2] is not on this tape; watch() it before it is used, or name_parameters() of its model" +
         at_line())
            .c_str(),
        TapeError);
    const Tensor named = constant.clone().set_name("bias");
    CHECK_THROWS_WITH_AS(tape.gradient(y, named),
                         ("gradient: input 0 \"bias\" [2] is not on this tape; watch() it before it is used, or "
                          "name_parameters() of its model" +
                          at_line())
                             .c_str(),
                         TapeError);
    CHECK_THROWS_WITH_AS(tape.gradient(Tensor(), x),
                         ("gradient: the result is an undefined tensor" + at_line()).c_str(), ValueError);
    CHECK_THROWS_WITH_AS(tape.gradient(y, {x, Tensor()}),
                         ("gradient: input 1 is an undefined tensor" + at_line()).c_str(), ValueError);
}

TEST_CASE("request: a result that no tape follows says why") {
    const Tensor x = vector({1, 2}), constant = vector({3, 4});
    const Tensor before = sum(x);
    Tensor named = constant.clone().set_name("w"), of_thread;
    Tape tape;
    tape.watch(x);
    const auto why = [&](const Tensor& result) {
        try {
            tape.gradient(result, x);
        } catch (const TapeError& error) {
            const std::string
                text = error.what(),
                begin = "gradient: the result does not depend on any parameter or watched tensor of this tape: ";
            REQUIRE(text.starts_with(begin));
            return text.substr(begin.size(), text.find('\n') - begin.size());
        }
        return std::string("no error");
    };
    const std::string nothing =
        "nothing that it was computed from was marked by set_parameter(), or by watch() before it was used";
    CHECK(why(sum(constant)) == nothing);
    CHECK(why(scalar(1, Dtype::float64)) == nothing);
    CHECK(why(sum(mul(named, constant))) ==
          "what it was computed from has a name, but was not marked by set_parameter(), or by watch() before it was "
          "used");
    CHECK(why(before) == "it was computed, or what it was computed from, before this tape began or by another thread");
    CHECK(why(scale(before, 2)) == why(before));
    std::thread([&] { of_thread = sum(x); }).join();
    CHECK(why(of_thread) == why(before));
    CHECK(why(sum(stop_gradient(x))) == "stop_gradient() made a constant of what it was computed from");
    {
        const Pause pause;
        of_thread = sum(x);
    }
    CHECK(why(scale(of_thread, 2)) == "it was computed, or what it was computed from, while a Pause lived");
    const Tensor gradient = tape.gradient(sum(mul(x, x)), x);
    CHECK(why(sum(mul(gradient, constant))) ==
          "it was computed from a gradient that was not recorded; give that gradient() create_graph = true");
    const Tensor y = mul(x, x);
    Tensor target = vector({0, 0});
    target.copy_from(y);
    for (const Tensor& copy : {y.clone(), target, cast(y, Dtype::float32)})
        CHECK(why(copy).starts_with("clone(), copy_from() or cast() made a copy of what it was computed from"));
    Tensor overwritten = sum(x);
    overwritten.fill(2);
    CHECK(why(overwritten) == "it was overwritten after it was computed");
}

TEST_CASE("request: a result of an op without derivative names that op") {
    const Tensor x = vector({1});
    Tape tape;
    tape.watch(x);
    const Tensor y = sum(scale(sign(x), 2));
    const Scope scope("decoder");
    CHECK_THROWS_WITH_AS(
        tape.gradient(y, x),
        ("gradient: the result comes from sign, which has no derivative\n  in decoder" + at_line()).c_str(),
        NotDifferentiableError);
}

#include <doctest/doctest.h>

#include <string>
#include <vector>
#include <wengert/autograd/tape/tape.hpp>

#include "autograd/tiny_ops.hpp"

using namespace tiny;

namespace {

/// Its rule does what no rule may.
struct Careless {
    static constexpr std::string_view name = "careless";
    static constexpr Saves saves = Saves::nothing;
    int fault;
    Shape shape(const Inputs& in) const { return in[0].shape(); }
    void forward(const Inputs& in, const Destination& out) const { write(in[0], out); }
    void vjp(Backward& back) const {
        if (fault == 0) back.add(0, back.saved(0));
        if (fault == 1) back.add(1, back.cotangent());
        if (fault == 2) back.add(0, zeros(back.input_shape(0), Dtype::float32));
    }
};

/// Its rule asks for the shape of its second operand.
struct Curious {
    static constexpr std::string_view name = "curious";
    static constexpr Saves saves = Saves::nothing;
    Shape shape(const Inputs& in) const { return in[0].shape(); }
    void forward(const Inputs& in, const Destination& out) const { write(in[0], out); }
    void vjp(Backward& back) const { back.add(0, zeros(back.input_shape(1), Dtype::float64)); }
};

/// Its rule does not ask for whom it works.
struct Eager {
    static constexpr std::string_view name = "eager";
    static constexpr Saves saves = Saves::nothing;
    bool writes;
    Shape shape(const Inputs& in) const { return in[0].shape(); }
    void forward(const Inputs& in, const Destination& out) const { write(in[0], out); }
    void vjp(Backward& back) const {
        back.add(0, scale(back.cotangent(), 2));
        back.add(1, back.cotangent());  // costs nothing
        if (writes)
            write(back.cotangent(), back.target(1));
        else
            back.add(1, scale(back.cotangent(), 3));
    }
};

}  // namespace

TEST_CASE("backward: work for an operand that nobody waits for is told to observers, and a kernel's is an error") {
    struct Discards final : Observer {
        std::vector<std::string> of;
        void discarded(const Node& node, std::size_t input) override {
            of.push_back(std::string(node.name()) + std::to_string(input));
        }
    };
    const Tensor x = vector({1, 2}), constant = vector({3, 4});
    Tape tape;
    tape.watch(x);
    for (const bool recorded : {false, true}) {
        const Discards discards;
        const Tensor y = sum(apply(Eager{false}, {&x, &constant}, SourceLine()));
        CHECK(elements(tape.gradient(y, x, {.create_graph = recorded})) == Values{2, 2});
        CHECK(discards.of == std::vector<std::string>{"eager1"});
    }
    CHECK_THROWS_WITH_AS(tape.gradient(sum(apply(Eager{true}, {&x, &constant}, SourceLine())), x),
                         "eager: the rule writes the cotangent of operand 1, unasked", ValueError);
}

TEST_CASE("backward: a rule that speaks of what is not there is named") {
    const Tensor x = vector({1, 2});
    Tape tape;
    tape.watch(x);
    const auto text = [&](int fault) -> std::string {
        try {
            tape.gradient(sum(apply(Careless{fault}, {&x}, SourceLine())), x);
        } catch (const Error& error) {
            return error.what();
        }
        return "no error";
    };
    CHECK(text(0) == "careless: the rule asks for saved tensor 0, but the op's `saves` keeps 0");
    CHECK(text(1) == "careless: the rule speaks of operand 1, but the op had 1");
    CHECK(text(2) == "careless: a contribution of float32 to the cotangent of an operand of float64");
}

TEST_CASE("backward: the shape of an operand is known if the tape follows it") {
    const Tensor x = vector({1, 2}), constant = vector({3, 4});
    Tape tape;
    tape.watch(x);
    CHECK(elements(tape.gradient(sum(apply(Curious{}, {&x, &x}, SourceLine())), x)) == Values{0, 0});
    CHECK_THROWS_WITH_AS(tape.gradient(sum(apply(Curious{}, {&x, &constant}, SourceLine())), x),
                         "curious: operand 1 is a constant, whose shape is not kept", TapeError);
}

TEST_CASE("backward: a saved tensor that was overwritten is an error that names it") {
    Tensor w = vector({1, 2});
    w.set_parameter().set_name("cell.weight");
    Tape tape;
    Tensor y, hidden;
    std::string where;
    {
        const Scope scope("cell");
        const Step step(3);
        y = mul(w, w);
        where = at_line(-1);
        hidden = tiny::tanh(y);
    }
    const auto overwritten = [&](const char* op, const char* tensor) {
        return std::string(op) + ": a tensor " + tensor +
               " that backward needs was overwritten after the forward pass\n  in cell, step 3";
    };
    SUBCASE("an input") {
        w.fill(0);
        CHECK_THROWS_WITH_AS(tape.gradient(sum(y), w), (overwritten("mul", "\"cell.weight\" [2]") + where).c_str(),
                             TapeError);
    }
    SUBCASE("an output, by a view") {
        const Tensor total = sum(hidden);
        hidden.detached().mutable_data<double>()[0] = 5;
        try {
            tape.gradient(total, w);
            FAIL("no error");
        } catch (const TapeError& error) {
            CHECK(std::string(error.what()).starts_with(overwritten("tanh", "[2]")));
        }
    }
    SUBCASE("one that no rule needs may be overwritten") {
        const Tensor z = scale(y, 2), total = sum(z);
        Tensor(z).fill(0);
        CHECK(elements(tape.gradient(total, w)) == Values{4, 8});
    }
}

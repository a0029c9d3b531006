#include <doctest/doctest.h>

#include <wengert/autograd/observe/internal/neighbourhood.hpp>

#include "autograd/named_op.hpp"

using namespace sketch;

TEST_CASE("around a node stands what is two arrows away, and the way to the result") {
    const Tensor w = parameter("w", {3});
    Tape tape;
    std::vector<Tensor> chain{w};
    for (int i = 0; i < 10; ++i) chain.push_back(compute<"tanh">({3}, {&chain.back()}));
    const Tensor other = compute<"exp">({3}, {&chain[8]});  // leads to no result
    const Tensor loss = compute<"sum">({}, {&chain.back()});
    const Drawing drawing = draw(tape, {});
    const Drawing near = neighbourhood(drawing, tape.find(chain[4]), tape.find(loss));
    std::vector<NodeId> ids;
    for (const Drawing::Vertex& vertex : near.vertices) {
        ids.push_back(vertex.nodes.front());
        CHECK(vertex.is_marked == (vertex.nodes.front() == tape.find(chain[4])));
    }
    std::vector<NodeId> expected;
    for (std::size_t i = 2; i <= 10; ++i) expected.push_back(tape.find(chain[i]));
    expected.push_back(tape.find(loss));
    CHECK(ids == expected);
    CHECK(near.arrows.size() == 9);
    CHECK(neighbourhood(drawing, tape.find(chain[4]), no_node).vertices.size() >= 9);  // to what nothing uses
    CHECK(neighbourhood(drawing, tape.find(other), tape.find(loss)).vertices.size() == 4);
}

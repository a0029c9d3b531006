#include <wengert/ops/products/einsum.hpp>

#include <map>
#include <wengert/autograd/check/gradcheck.hpp>
#include <wengert/autograd/tensor/allocator.hpp>
#include <wengert/ops/random/random.hpp>

#include "ops/brute_force.hpp"

using namespace brute_force;

namespace {

/// An equation without ellipsis: the labels of each operand, and of the result.
struct PlainEquation {
    std::vector<std::string> operands;
    std::string result;
};

/// The sum by nested loops over all labels. An axis of length 1 beside a longer one of its label is stretched.
Values interpreted(const PlainEquation& equation, const std::vector<Tensor>& operands) {
    std::map<char, std::int64_t> lengths, at;
    for (std::size_t i = 0; i < operands.size(); ++i)
        for (std::size_t axis = 0; axis < equation.operands[i].size(); ++axis) {
            std::int64_t& length = lengths.try_emplace(equation.operands[i][axis], 1).first->second;
            if (const std::int64_t own = operands[i].dim(static_cast<int>(axis)); own != 1) length = own;
        }
    std::int64_t count = 1, places = 1;
    for (const auto& [label, length] : lengths) count *= length;
    for (const char label : equation.result) places *= lengths[label];
    Values sums(static_cast<std::size_t>(places));
    for (std::int64_t number = 0; number < count; ++number) {
        std::int64_t rest = number;
        for (const auto& [label, length] : lengths) {
            at[label] = rest % length;
            rest /= length;
        }
        double product = 1;
        for (std::size_t i = 0; i < operands.size(); ++i) {
            Shape index;
            for (const char label : equation.operands[i]) index.push_back(at[label]);
            product *= element(operands[i], index);
        }
        std::int64_t place = 0;
        for (const char label : equation.result) place = place * lengths[label] + at[label];
        sums[static_cast<std::size_t>(place)] += product;
    }
    return sums;
}

/// A random equation of up to four letters and two axes of an ellipsis, which are X and Y in the plain one.
struct RandomEquation {
    std::string text;
    PlainEquation plain;
    std::vector<Tensor> operands;
};

RandomEquation random_equation(Generator& generator) {
    const auto below = [&](std::int64_t n) {
        return static_cast<std::int64_t>(generator.below(static_cast<std::uint64_t>(n)));
    };
    const std::string letters = "aBcD";
    std::map<char, std::int64_t> lengths;
    for (const char label : letters + "XY") lengths[label] = below(12) == 0 ? 0 : 1 + below(3);
    RandomEquation equation;
    const std::int64_t terms = 1 + below(6);
    std::string used;
    std::size_t most_broadcast = 0;
    for (std::int64_t i = 0; i < terms; ++i) {
        std::string named, text;
        for (std::int64_t axis = below(4); axis > 0; --axis)
            named.push_back(letters[static_cast<std::size_t>(below(4))]);
        const std::string broadcast = std::string("XY").substr(static_cast<std::size_t>(below(3)));
        const bool has_ellipsis = !broadcast.empty() || below(3) == 0;
        const auto place = static_cast<std::size_t>(below(std::ssize(named) + 1));
        text = named;
        equation.plain.operands.push_back(named.insert(place, broadcast));
        if (has_ellipsis) text.insert(place, "...");
        equation.text += (i > 0 ? (below(2) == 0 ? ", " : ",") : "") + text;
        Shape shape;
        for (const char label : named)
            shape.push_back((label == 'X' || label == 'Y') && below(3) == 0 ? 1 : lengths[label]);
        equation.operands.push_back(
            laid_out(shape, static_cast<int>(below(layouts)), static_cast<std::uint64_t>(below(1000))));
        used += named;
        most_broadcast = std::max(most_broadcast, broadcast.size());
    }
    std::string once;
    for (const char label : std::string("BDac"))
        if (std::ranges::count(used, label) == 1) once.push_back(label);
    const std::string broadcast = std::string("XY").substr(2 - most_broadcast);
    if (below(3) == 0) {
        equation.plain.result = broadcast + once;
        return equation;
    }
    std::string result;
    for (const char label : letters)
        if (used.find(label) != std::string::npos && below(2) == 0)
            result.insert(static_cast<std::size_t>(below(std::ssize(result) + 1)), 1, label);
    const auto place = static_cast<std::size_t>(below(std::ssize(result) + 1));
    equation.text += "->" + (broadcast.empty() ? result : std::string(result).insert(place, "..."));
    equation.plain.result = result.insert(place, broadcast);
    return equation;
}

}  // namespace

TEST_CASE("einsum: random equations are nested loops over their labels, and their gradients those of the values") {
    Generator generator(20);
    for (int round = 0; round < 500; ++round) {
        const RandomEquation equation = random_equation(generator);
        CAPTURE(equation.text);
        const Tensor got = einsum(equation.text, equation.operands);
        check_close(got, interpreted(equation.plain, equation.operands), 64, 1);
        for (std::size_t axis = 0; axis < equation.plain.result.size(); ++axis) {
            std::int64_t length = 1;
            for (std::size_t i = 0; i < equation.operands.size(); ++i)
                if (const std::size_t at = equation.plain.operands[i].find(equation.plain.result[axis]);
                    at != std::string::npos && equation.operands[i].dim(static_cast<int>(at)) != 1)
                    length = equation.operands[i].dim(static_cast<int>(at));
            CHECK(got.dim(static_cast<int>(axis)) == length);
        }
        if (round % 8 != 0) continue;
        const GradcheckResult result =
            gradcheck([&](const auto& in) { return einsum(equation.text, in); }, equation.operands, {.order = 2});
        CHECK_MESSAGE(result.passed, result.message);
    }
}

TEST_CASE("einsum: the products that have a name, in both dtypes, from operands that stand in any way") {
    struct Named {
        std::string text;
        PlainEquation plain;
        std::vector<Shape> shapes;
    };
    const Named products[] = {
        {"ij,jk", {{"ij", "jk"}, "ik"}, {{5, 7}, {7, 3}}},
        {"ij,jk->ki", {{"ij", "jk"}, "ki"}, {{5, 7}, {7, 3}}},
        {"ij,jk,kl,lm->im", {{"ij", "jk", "kl", "lm"}, "im"}, {{2, 9}, {9, 3}, {3, 8}, {8, 4}}},
        {"ii", {{"ii"}, ""}, {{6, 6}}},
        {"ii->i", {{"ii"}, "i"}, {{6, 6}}},
        {"iijj->ji", {{"iijj"}, "ji"}, {{2, 2, 3, 3}}},
        {"iii->i", {{"iii"}, "i"}, {{3, 3, 3}}},
        {"...ij->...ji", {{"XYij"}, "XYji"}, {{2, 3, 4, 5}}},
        {"ba", {{"ba"}, "ab"}, {{2, 3}}},
        {"i,i", {{"i", "i"}, ""}, {{40}, {40}}},
        {"i,j->ji", {{"i", "j"}, "ji"}, {{4}, {3}}},
        {"bi,oij,bj->bo", {{"bi", "oij", "bj"}, "bo"}, {{3, 4}, {2, 4, 5}, {3, 5}}},
        {"bqhd,bkhd->bhqk", {{"bqhd", "bkhd"}, "bhqk"}, {{2, 3, 4, 5}, {2, 6, 4, 5}}},
        {"bhqk,bkhd->bqhd", {{"bhqk", "bkhd"}, "bqhd"}, {{2, 4, 3, 6}, {2, 6, 4, 5}}},
        {"b...ij,bjk->b...ik", {{"bXij", "bjk"}, "bXik"}, {{2, 3, 4, 5}, {2, 5, 6}}},
        {"...ij,...jk", {{"XYij", "Yjk"}, "XYik"}, {{2, 1, 3, 4}, {5, 4, 2}}},
        {"...,...", {{"XY", "Y"}, "XY"}, {{3, 1}, {4}}},
        {",ij,->ji", {{"", "ij", ""}, "ji"}, {{}, {2, 3}, {}}},
        {"ij,ij->", {{"ij", "ij"}, ""}, {{5, 6}, {5, 6}}},
        {"ij,ij->j", {{"ij", "ij"}, "j"}, {{5, 6}, {5, 6}}},
        {"abcdef,abcdef->abcdef", {{"abcdef", "abcdef"}, "abcdef"}, {{1, 2, 1, 2, 1, 2}, {1, 2, 1, 2, 1, 2}}},
        {"abcdex,abcdex->abcde", {{"abcdex", "abcdex"}, "abcde"}, {{1, 2, 1, 2, 2, 3}, {1, 2, 1, 2, 2, 3}}},
        {"abcdkx,abcdky,k->abcdxy",
         {{"abcdkx", "abcdky", "k"}, "abcdxy"},
         {{1, 2, 1, 2, 2, 3}, {1, 2, 1, 2, 2, 2}, {2}}},
        {"ij,jk->ik", {{"ij", "jk"}, "ik"}, {{3, 0}, {0, 2}}},
        {"ij,jk->ik", {{"ij", "jk"}, "ik"}, {{0, 3}, {3, 2}}},
    };
    for (const auto& [text, plain, shapes] : products)
        for (const Dtype dtype : {Dtype::float32, Dtype::float64})
            for (int layout = 0; layout < layouts; ++layout) {
                CAPTURE(text);
                CAPTURE(layout);
                std::vector<Tensor> operands;
                for (const Shape& shape : shapes)
                    operands.push_back(laid_out(shape, layout, 10 + operands.size(), dtype));
                const Tensor got = einsum(text, operands);
                CHECK(got.dtype() == dtype);
                CHECK(got.rank() == std::ssize(plain.result));
                check_close(got, interpreted(plain, operands), 32, 1);
            }
}

TEST_CASE("einsum: gradients of what has a name, to second order") {
    const std::pair<std::string, std::vector<Shape>> products[] = {{"ij,jk->ik", {{2, 3}, {3, 2}}},
                                                                   {"ii", {{3, 3}}},
                                                                   {"ii->i", {{3, 3}}},
                                                                   {"bi,oij,bj->bo", {{2, 2}, {2, 2, 3}, {2, 3}}},
                                                                   {"bqhd,bkhd->bhqk", {{1, 2, 2, 2}, {1, 3, 2, 2}}},
                                                                   {"...ij,...jk", {{2, 1, 2, 2}, {2, 2, 2}}}};
    for (const auto& [text, shapes] : products) {
        CAPTURE(text);
        std::vector<Tensor> operands;
        for (const Shape& shape : shapes) operands.push_back(sample_values(shape, -1, 1, operands.size()));
        const GradcheckResult result =
            gradcheck([&text = text](const auto& in) { return einsum(text, in); }, operands, {.order = 2});
        CHECK_MESSAGE(result.passed, result.message);
    }
    // One tensor as both operands.
    const GradcheckResult square = gradcheck(
        [](const auto& in) {
            return einsum("ij,kj", {in[0], in[0]});
        },
        {sample_values({2, 3}, -1, 1, 1)}, {.order = 2});
    CHECK_MESSAGE(square.passed, square.message);
}

TEST_CASE("einsum: the order of the products is the cheap one, and operands are used where they stand") {
    const auto held = [](const auto& f) {
        reset_peak_live_bytes();
        const std::int64_t before = allocator_statistics().live_bytes;
        f();
        return allocator_statistics().peak_live_bytes - before;
    };
    const Tensor a = sample_values({200, 200}, -1, 1, 1), x = sample_values({200}, -1, 1, 2);
    for (const int count : {2, 3, 5}) {
        std::string text;
        std::vector<Tensor> operands;
        for (int i = 0; i < count; ++i) {
            text += std::string{static_cast<char>('a' + i), static_cast<char>('a' + i + 1), ','};
            operands.push_back(a);
        }
        operands.push_back(x);
        text += static_cast<char>('a' + count);
        CHECK(held([&] { einsum(text + "->a", operands); }) < 200 * 200 * 8 / 8);
        std::ranges::reverse(operands);
        CHECK(held([&] { einsum("f,fe,ed->d", {x, a, a}); }) < 200 * 200 * 8 / 8);
    }
    const Tensor q = sample_values({2, 50, 4, 32}, -1, 1, 3), k = sample_values({2, 50, 4, 32}, -1, 1, 4);
    CHECK(held([&] { einsum("bqhd,bkhd->bhqk", {q, k}); }) < 2 * 4 * 50 * 50 * 8 + 8192);
    CHECK(einsum("ij->ji", {a}).shares_storage(a));
    CHECK(einsum("ij,jk", {a, a}).is_contiguous());
    CHECK(einsum("kj,ji->ik", {a, a}).is_contiguous());
}

TEST_CASE("einsum: NaN and infinities are those of the products, and nodes bear the caller's line") {
    const Tensor a = tensor({1, infinity, 0, not_a_number}, {2, 2}, Dtype::float64);
    const Values got = elements(einsum("ij,j->i", {a, tensor({1, 1}, Dtype::float64)}));
    CHECK(got[0] == infinity);
    CHECK(std::isnan(got[1]));
    const Tensor x = sample_values({3, 4, 4}, -1, 1, 1), y = sample_values({3, 4, 5}, -1, 1, 2);
    Tape tape;
    tape.watch(x);
    const NodeId first = tape.size();
    einsum("bii,bij,bkj->k", {x, y, y});
    tensordot(x, y, {0, 1}, {0, 1});
    const std::string file = "products/einsum.cpp";
    CHECK(tape.size() > first + 3);
    for (NodeId id = first; id < tape.size(); ++id) {
        const std::string place = to_string(tape[id].where());
        CHECK(place.substr(0, place.rfind(':')).ends_with("tests/ops/" + file));
    }
}

TEST_CASE("tensordot: sums over pairs of axes, with their gradients") {
    const Tensor a = laid_out({2, 3, 4}, 1, 1), b = laid_out({3, 4, 5}, 2, 2), c = laid_out({4, 2, 3}, 3, 3);
    check_close(tensordot(a, b), interpreted({{"ijk", "jkl"}, "il"}, {a, b}), 32, 1);
    check_close(tensordot(a, c, 1), interpreted({{"ijk", "klm"}, "ijlm"}, {a, c}), 32, 1);
    check_close(tensordot(a, c, {-1, 0}, {0, 1}), interpreted({{"ijk", "kil"}, "jl"}, {a, c}), 32, 1);
    check_close(tensordot(a, c, {0, 1, 2}, {1, 2, 0}), interpreted({{"ijk", "kij"}, ""}, {a, c}), 32, 1);
    const Tensor outer = tensordot(select(a, 0, 0), select(c, 0, 0), 0);
    CHECK(outer.shape() == Shape{3, 4, 2, 3});
    check_close(outer, interpreted({{"ij", "kl"}, "ijkl"}, {select(a, 0, 0), select(c, 0, 0)}), 32, 1);
    CHECK(elements(tensordot(zeros({2, 0}), zeros({0, 3}), 1)) == Values(6));
    CHECK(tensordot(scalar(2), scalar(3), 0).item() == 6);
    const GradcheckResult result = gradcheck(
        [](const auto& in) {
            return tensordot(in[0], in[1], {-1, 0}, {0, 1});
        },
        {a, c}, {.order = 2});
    CHECK_MESSAGE(result.passed, result.message);
}

TEST_CASE("einsum and tensordot: what does not fit is refused with the label, the operand and the caller's line") {
    const Tensor a = zeros({2, 3}), b = zeros({4, 5});
    check_refused<ShapeError>("einsum: label 'j' has length 3 in operand 0 [2, 3], but 4 in operand 1 [4, 5]", [&] {
        einsum("ij,jk->ik", {a, b});
    });
    check_refused<ShapeError>("einsum: label 'i' has length 2 in operand 0 [2, 3], but 3 in operand 0 [2, 3]",
                              [&] { einsum("ii->i", {a}); });
    check_refused<ShapeError>("einsum: label 'i' has length 1 in operand 0 [1], but 2 in operand 1 [2, 3]", [&] {
        einsum("i,ij", {zeros({1}), a});
    });
    check_refused<ShapeError>(
        "einsum: an axis of the ellipsis has length 2 in operand 0 [2, 3], but 4 in operand 1 [4, 5]", [&] {
            einsum("...,...", {a, b});
        });
    check_refused<ShapeError>("einsum: operand 1 is [4, 5], but \"jkl\" names 3 axes", [&] {
        einsum("ij,jkl", {a, b});
    });
    check_refused<ShapeError>("einsum: operand 0 is [2, 3], but \"ij...k\" names at least 3 axes",
                              [&] { einsum("ij...k", {a}); });
    check_refused<ShapeError>("einsum: operand 0 is [2, 3], but \"\" names 0 axes", [&] { einsum("", {a}); });
    check_refused<ValueError>("einsum: the equation \"ij,jk\" is of 2 operands, not of 1",
                              [&] { einsum("ij,jk", {a}); });
    check_refused<ValueError>("einsum: the equation \"ij\" is of 1 operands, not of 0", [&] { einsum("ij", {}); });
    check_refused<ValueError>("einsum: the equation \"i1\" has a '1' that belongs to no letter, ellipsis or arrow",
                              [&] { einsum("i1", {a}); });
    for (const char* text : {"i..j", "...i...", "i-j", "ij->i,j", "ij->i->j", "....i"}) {
        CAPTURE(text);
        CHECK_THROWS_WITH_AS(einsum(text, {a}), doctest::Contains("that belongs to no letter, ellipsis or arrow"),
                             ValueError);
    }
    check_refused<ValueError>("einsum: label 'k' of the result is in no operand of \"ij->ik\"",
                              [&] { einsum("ij->ik", {a}); });
    check_refused<ValueError>("einsum: label 'i' is twice in the result of \"ij->ii\"", [&] { einsum("ij->ii", {a}); });
    check_refused<ValueError>("einsum: the equation \"...j->j\" has no ellipsis in its result, but in operands",
                              [&] { einsum("...j->j", {a}); });
    check_refused<ShapeError>("einsum: the result of \"abcd,efg\" has more than 6 axes", [&] {
        einsum("abcd,efg", {zeros({1, 1, 1, 1}), zeros({1, 1, 1})});
    });
    check_refused<ShapeError>("einsum: a product of operands has more than 6 axes", [&] {
        const Tensor x = zeros({1, 1, 1, 1, 1, 1});
        einsum("abcdef,abcghi,defghi->aeg", {x, x, x});
    });
    check_refused<DtypeError>(
        "einsum: operands must be float32 or float64 and alike, but operand 1 is float64 and operand 0 float32", [&] {
            einsum("ij,ij", {a, zeros({2, 3}, Dtype::float64)});
        });
    check_refused<DtypeError>("einsum: operands must be float32 or float64 and alike, but operand 0 is int64", [&] {
        einsum("ij->ji", {zeros({2, 3}, Dtype::int64)});
    });
    check_refused<ValueError>("einsum: operand 1 is an undefined tensor", [&] { einsum("ij,ij", {a, Tensor()}); });

    check_refused<ShapeError>("tensordot: a [2, 3] and b [4, 5] have not 3 axes each to sum over",
                              [&] { tensordot(a, b, 3); });
    check_refused<ShapeError>("tensordot: axis 1 of a [2, 3] and axis 0 of b [4, 5] differ in length",
                              [&] { tensordot(a, b, 1); });
    check_refused<ShapeError>("tensordot: axis -1 of a is given twice", [&] { tensordot(a, a, {1, -1}, {1, 0}); });
    check_refused<ShapeError>("tensordot: axis -1 of b is given twice", [&] {
        tensordot(zeros({3, 3}), zeros({3, 3}), {0, 1}, {1, -1});
    });
    check_refused<ShapeError>("tensordot: 2 axes of a are no pairs with 1 of b", [&] { tensordot(a, a, {0, 1}, {0}); });
    check_refused<ShapeError>("tensordot: axis 2 does not exist in a tensor of 2 axes",
                              [&] { tensordot(a, a, {2}, {0}); });
    check_refused<ShapeError>("tensordot: the product of a [1, 1, 1, 1] and b [1, 1, 1] has more than 6 axes", [&] {
        tensordot(zeros({1, 1, 1, 1}), zeros({1, 1, 1}), 0);
    });
    check_refused<DtypeError>("tensordot: a is float32, but b float64", [&] {
        tensordot(a, zeros({3, 2}, Dtype::float64), 1);
    });
}

#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <sstream>
#include <wengert/autograd/tensor/allocator.hpp>
#include <wengert/autograd/tensor/tensor.hpp>

#include "../../values.hpp"

using namespace wengert;

TEST_CASE("tensor: made of values, of one value, of counting numbers") {
    const Tensor x = tensor({1, 2, 3, 4, 5, 6}, {2, 3});
    CHECK(x.shape() == Shape{2, 3});
    CHECK(x.dtype() == Dtype::float32);
    CHECK(x.strides() == Shape{3, 1});
    CHECK(x.rank() == 2);
    CHECK(x.numel() == 6);
    CHECK(x.dim(-1) == 3);
    CHECK(x.at({1, 0}) == 4);
    CHECK(tensor({1, 2}).shape() == Shape{2});
    const Tensor vector = tensor(std::vector<double>{0.1, 2, 3});
    CHECK(vector.shape() == Shape{3});
    CHECK(vector.dtype() == Dtype::float64);
    CHECK(vector.at<double>({0}) == 0.1);
    CHECK(tensor(std::vector<std::int32_t>{7}).dtype() == Dtype::int32);
    CHECK(tensor(std::vector<bool>{true, false}).to_vector<bool>() == std::vector<bool>{true, false});
    CHECK(tensor(std::vector<float>()).shape() == Shape{0});
    CHECK(tensor({1, 2}, Dtype::int64).dtype() == Dtype::int64);
    CHECK(tensor({0.5}, {}).shape() == Shape{});
    CHECK(tensor({0.5}, {}).item() == 0.5);
    CHECK(tensor(std::vector<std::int64_t>{7, 8}, {2, 1}).dtype() == Dtype::int64);
    CHECK(tensor({true, false}).dtype() == Dtype::boolean);
    CHECK(elements(tensor({true, false, true, true}, {2, 2})) == Values{1, 0, 1, 1});
    CHECK(tensor({true, false}, Dtype::float64).dtype() == Dtype::float64);
    CHECK(elements(tensor(std::vector<bool>{false, true}, {2, 1})) == Values{0, 1});
    CHECK(tensor({2, 0}, Dtype::boolean).to_vector<bool>() == std::vector<bool>{true, false});
    CHECK(tensor(std::vector<std::int32_t>{7, -8}, {2}).dtype() == Dtype::int32);
    CHECK(arange(3, Dtype::int32).at<std::int32_t>({2}) == 2);
    CHECK_THROWS_WITH_AS(arange(2, Dtype::boolean), "arange: counting numbers are no bool", DtypeError);
    CHECK(elements(full({2}, 2.5)) == Values{2.5, 2.5});
    CHECK(elements(zeros({2}, Dtype::float64)) == Values{0, 0});
    CHECK(elements(ones({1, 2})) == Values{1, 1});
    CHECK(elements(arange(3)) == Values{0, 1, 2});
    CHECK(arange(3).dtype() == Dtype::int64);
    CHECK(elements(linspace(-1, 1, 5)) == Values{-1, -0.5, 0, 0.5, 1});
    CHECK(elements(linspace(3, 0.3, 4, Dtype::float64)).back() == 0.3);
    CHECK(elements(linspace(7, 9, 1)) == Values{7});
    CHECK(linspace(0, 1, 0).shape() == Shape{0});
    CHECK(elements(linspace(-1.7e308, 1.7e308, 3, Dtype::float64)) == Values{-1.7e308, 0, 1.7e308});
    CHECK_THROWS_WITH_AS(linspace(0, 1, -1), "linspace: -1 numbers from 0 to 1", ValueError);
    CHECK_THROWS_AS(linspace(0, 1, 2, Dtype::int64), DtypeError);
    CHECK(elements(eye(3)) == Values{1, 0, 0, 0, 1, 0, 0, 0, 1});
    CHECK(eye(2, Dtype::boolean).dtype() == Dtype::boolean);
    CHECK(eye(0).shape() == Shape{0, 0});
    for (const auto& [op, f] : {std::pair<std::string, std::function<void()>>{"linspace", [] { linspace(0, 1, -1); }},
                                {"linspace", [] { linspace(0, 1, 2, Dtype::int64); }},
                                {"eye", [] { eye(-1); }},
                                {"arange", [] { arange(-1); }},
                                {"arange", [] { arange(2, Dtype::boolean); }}}) {
        try {
            f();
            FAIL_CHECK(op << " threw nothing");
        } catch (const Error& error) {
            CHECK(error.op() == op);
        }
    }
    CHECK(scalar(4).item<float>() == 4);
    CHECK(scalar(4).shape() == Shape{});
    CHECK_THROWS_WITH_AS(tensor({1, 2, 3}, {2, 2}), "tensor: 3 values for shape [2, 2]", ShapeError);
}

TEST_CASE("tensor: buffers are aligned to 64 bytes") {
    for (const std::int64_t n : {0, 1, 17, 1000, 100000})
        CHECK(reinterpret_cast<std::uintptr_t>(Tensor::empty({n}).raw()) % 64 == 0);
}

TEST_CASE("tensor: shapes that no tensor can have") {
    CHECK_THROWS_WITH_AS(Tensor::empty({2, -1}), "a length is negative: [2, -1]", ShapeError);
    const std::int64_t huge = std::numeric_limits<std::int64_t>::max();
    CHECK_THROWS_WITH_AS(Tensor::empty({huge, 2}),
                         "a tensor [9223372036854775807, 2] has more elements than can be counted", ShapeError);
    CHECK_THROWS_AS(Tensor::empty({huge / 2}), ShapeError);
    CHECK_THROWS_AS(Tensor::empty({std::int64_t{1} << 32, std::int64_t{1} << 32}, Dtype::float64), ShapeError);
    CHECK_THROWS_AS(Tensor::empty({huge, huge, 0}), ShapeError);
    CHECK_THROWS_AS(zeros({0}).view({huge, huge, 0}, {1, 1, 1}, 0), ShapeError);
    CHECK_THROWS_AS(zeros({0}).view({0, 3}, {1, huge}, 0), ShapeError);
    CHECK_THROWS_AS(tensor(std::vector<double>{}, {huge / 2 + 1, 2}), ShapeError);
    CHECK_THROWS_WITH_AS(Tensor::empty({std::int64_t{1} << 46}),
                         "there is no memory for a tensor [70368744177664] of float32", OutOfMemoryError);
}

TEST_CASE("tensor: handles share, clones do not") {
    Tensor x = tensor({1, 2, 3});
    const Tensor handle = x, copy = x.clone();
    x.fill(5);
    CHECK(elements(handle) == Values{5, 5, 5});
    CHECK(elements(copy) == Values{1, 2, 3});
    CHECK(handle.same_as(x));
    CHECK_FALSE(copy.same_as(x));
    CHECK_FALSE(copy.shares_storage(x));
    CHECK_FALSE(Tensor().defined());
}

TEST_CASE("tensor: a view without a name goes by that of the tensor it shows, also when that is gone") {
    Tensor x = tensor({1, 2, 3, 4}, {2, 2}), view;
    CHECK(x.view({4}, {1}, 0).name() == "");
    {
        x.set_name("weight").set_parameter();
        const Tensor column = x.view({2}, {2}, 1);
        CHECK(!column.is_parameter());
        view = column.view({1}, {1}, 3);
        x = Tensor();
    }
    CHECK(view.name() == "weight");
    CHECK(view.item() == 4);
    CHECK(view.clone().name() == "");
    CHECK(view.set_name("corner").name() == "corner");
}

TEST_CASE("tensor: a clone is contiguous and keeps name and mark") {
    Tensor x = tensor({1, 2, 3, 4, 5, 6}, {2, 3});
    const Tensor t = x.view({3, 2}, {1, 3}, 0);
    CHECK_FALSE(t.is_contiguous());
    CHECK(t.clone().is_contiguous());
    CHECK(elements(t.clone()) == Values{1, 4, 2, 5, 3, 6});
    x.set_name("weight").set_parameter();
    CHECK(x.clone().name() == "weight");
    CHECK(x.clone().is_parameter());
    CHECK_FALSE(x.detached().is_parameter());
    CHECK(Tensor(tensor({1})).name() == "");
}

TEST_CASE("tensor: contiguity ignores axes of length one and empty tensors") {
    const Tensor x = arange(6);
    CHECK(x.view({2, 1, 3}, {3, 99, 1}, 0).is_contiguous());
    CHECK(x.view({2, 2}, {2, 1}, 2).is_contiguous());
    CHECK_FALSE(x.view({3}, {2}, 0).is_contiguous());
    CHECK_FALSE(x.view({2, 2}, {3, 1}, 0).is_contiguous());
    CHECK_FALSE(x.view({4}, {0}, 0).is_contiguous());
    CHECK(Tensor::empty({0, 3}).is_contiguous());
    CHECK(scalar(1).is_contiguous());
}

TEST_CASE("tensor: views share storage and are read through their strides") {
    Tensor x = tensor({1, 2, 3, 4, 5, 6}, {2, 3}, Dtype::float64);
    const Tensor column = x.view({2}, {3}, 1);
    CHECK(elements(column) == Values{2, 5});
    CHECK(column.at({1}) == 5);
    CHECK(column.view({}, {}, 4).item() == 5);
    x.mutable_data<double>()[4] = 50;
    CHECK(elements(column) == Values{2, 50});
    CHECK(column.shares_storage(x));
    x = Tensor();
    CHECK(elements(column) == Values{2, 50});
}

TEST_CASE("tensor: copying elements, between types, shapes that differ, memory that overlaps") {
    Tensor x = zeros({2, 2}, Dtype::float64);
    x.copy_from(tensor({1, 2, 3, 4}, {2, 2}));
    CHECK(elements(x) == Values{1, 2, 3, 4});
    CHECK_THROWS_WITH_AS(x.copy_from(zeros({4})), "copy_from: shapes differ: [2, 2] from [4]", ShapeError);
    x.copy_from(x);
    CHECK(elements(x) == Values{1, 2, 3, 4});
    x.copy_from(x.view({2, 2}, {1, 2}, 0));
    CHECK(elements(x) == Values{1, 3, 2, 4});
    Tensor line = arange(5), upper = line.view({4}, {1}, 1);
    upper.copy_from(line.view({4}, {1}, 0));
    CHECK(elements(line) == Values{0, 0, 1, 2, 3});
}

TEST_CASE("tensor: every write counts, through every handle and view") {
    Tensor x = tensor({1, 2, 3});
    Tensor view = x.view({2}, {1}, 1);
    const std::uint32_t before = x.version();
    (void)x.data<float>();
    CHECK(x.version() == before);
    x.fill(0);
    view.copy_from(tensor({4, 5}));
    view.mutable_data<float>()[0] = 6;
    CHECK(x.version() == before + 3);
    CHECK(view.version() == before + 3);
}

TEST_CASE("tensor: reading with the wrong type, index or number of elements") {
    Tensor x = tensor({1, 2, 3});
    CHECK_THROWS_WITH_AS(x.data<double>(), "a tensor of float32 was read as float64", DtypeError);
    CHECK_THROWS_AS(x.mutable_data<std::int64_t>(), DtypeError);
    CHECK_THROWS_WITH_AS(x.item(), "item: [3] has 3 elements, not one", ShapeError);
    CHECK_THROWS_AS(zeros({0}).item(), ShapeError);
    CHECK_THROWS_WITH_AS(x.at({3}), "at: index 3 is outside axis 0 of [3]", ShapeError);
    CHECK_THROWS_AS(x.at({-1}), ShapeError);
    CHECK_THROWS_WITH_AS(x.at({0, 0}), "at: 2 indices for [3]", ShapeError);
    CHECK_THROWS_AS(x.dim(1), ShapeError);
    CHECK_THROWS_WITH_AS(arange(2).set_parameter(), "a parameter must be of float32 or float64, not int64", DtypeError);
    CHECK_THROWS_WITH_AS(zeros({2}, Dtype::float16).set_parameter(),
                         "a parameter must be of float32 or float64, not float16", DtypeError);
    CHECK_THROWS_WITH_AS(tensor({true}).data<std::int32_t>(), "a tensor of bool was read as int32", DtypeError);
    CHECK(as_int64(tensor({3}, Dtype::int32)).item<std::int64_t>() == 3);
    CHECK(as_int64(x).same_as(x));
}

TEST_CASE("tensor: a view outside of the storage is an error") {
    const Tensor x = zeros({2, 3});
    CHECK(x.view({3, 2}, {1, 3}, 0).shape() == Shape{3, 2});
    CHECK(x.view({2}, {-1}, 5).numel() == 2);
    CHECK(x.view({0, 100}, {100, 1}, 0).numel() == 0);
    CHECK_THROWS_WITH_AS(x.view({7}, {1}, 0),
                         "view: a view [7] with strides [1] from element 0 does not fit 6 elements", ShapeError);
    CHECK_THROWS_AS(x.view({1}, {1}, 6), ShapeError);
    CHECK_THROWS_AS(x.view({1}, {1}, -1), ShapeError);
    CHECK_THROWS_AS(x.view({2, 3}, {4, 1}, 0), ShapeError);
    CHECK_THROWS_AS(x.view({2}, {-1}, 0), ShapeError);
    CHECK_THROWS_AS(x.view({2, 3}, {1}, 0), ShapeError);
    CHECK_THROWS_AS(x.view({-1}, {1}, 0), ShapeError);
    CHECK_THROWS_AS(x.view({3}, {std::numeric_limits<std::int64_t>::max()}, 0), ShapeError);
}

TEST_CASE("tensor: a parameter keeps one cache of each type") {
    struct A : ParameterCache {
        int number = 0;
    };
    struct B : ParameterCache {
        std::string text;
    };
    Tensor w = zeros({2}).set_parameter();
    Extras& extras = *w.state()->extras;
    extras.cache<A>().number = 3;
    extras.cache<B>().text = "kept";
    CHECK(extras.cache<A>().number == 3);
    CHECK(extras.cache<B>().text == "kept");
    CHECK(extras.caches.size() == 2);
}

TEST_CASE("tensor: cast converts, and returns the same tensor if there is nothing to do") {
    const Tensor x = tensor({2, -0x1p63});
    CHECK(elements(cast(x, Dtype::int64)) == Values{2, -0x1p63});
    CHECK(cast(x, Dtype::float64).dtype() == Dtype::float64);
    CHECK(cast(x, Dtype::float32).same_as(x));
    CHECK(x.to_vector<std::int64_t>() == std::vector<std::int64_t>{2, std::numeric_limits<std::int64_t>::min()});
    for (const double bad : {1.5, 0x1p63, -0x1.1p63, std::numeric_limits<double>::infinity(), 1e30}) {
        CAPTURE(bad);
        CHECK_THROWS_AS(cast(tensor({bad}), Dtype::int64), ValueError);
        CHECK_THROWS_AS(tensor({bad}, Dtype::int64), ValueError);
        CHECK_THROWS_AS(scalar(bad, Dtype::float64).item<std::int64_t>(), ValueError);
        CHECK_THROWS_AS(full({2}, bad, Dtype::int64), ValueError);
    }
    CHECK_THROWS_WITH_AS(scalar(std::nan("")).at<std::int64_t>({}), "nan is no int64", ValueError);
}

TEST_CASE("tensor: a handle knows whether it is the only one") {
    const Tensor x = tensor({1, 2});
    CHECK(x.is_unique());
    {
        const Tensor handle = x;
        CHECK_FALSE(x.is_unique());
    }
    CHECK(x.is_unique());
    const Tensor view = x.detached();
    CHECK_FALSE(x.is_unique());
    CHECK_FALSE(view.is_unique());
}

TEST_CASE("tensor: all memory returns") {
    const std::int64_t before = allocator_statistics().live_bytes;
    {
        Tensor x = zeros({100, 100});
        const Tensor copy = x.clone(), view = x.detached();
        x = copy;
        x = std::move(x);
    }
    CHECK(allocator_statistics().live_bytes == before);
}

TEST_CASE("tensor: printed") {
    CHECK(to_string(scalar(1.5)) == "1.5 [] float32");
    CHECK(to_string(tensor({1, 2.25, -3})) == "[1, 2.25, -3] [3] float32");
    CHECK(to_string(tensor({1, 2, 3, 4}, {2, 2}, Dtype::int64)) == "[[1, 2],\n [3, 4]] [2, 2] int64");
    CHECK(to_string(arange(8)) == "[0, 1, 2, ..., 5, 6, 7] [8] int64");
    CHECK(to_string(arange(7)) == "[0, 1, 2, 3, 4, 5, 6] [7] int64");
    CHECK(to_string(zeros({2, 0})) == "[[],\n []] [2, 0] float32");
    CHECK(to_string(tensor({true, false})) == "[true, false] [2] bool");
    CHECK(to_string(tensor({-1, 2}, Dtype::int32)) == "[-1, 2] [2] int32");
    CHECK(to_string(tensor({0.1, -65504, 1e9}, Dtype::float16)) == "[0.0999756, -65504, inf] [3] float16");
    CHECK(to_string(scalar(0.1, Dtype::bfloat16)) == "0.100098 [] bfloat16");
    CHECK(to_string(Tensor()) == "undefined tensor");
    std::ostringstream stream;
    stream << tensor({1}, Dtype::float64);
    CHECK(stream.str() == "[1] [1] float64");
}

TEST_CASE("tensor: an undefined handle says so, whatever it is asked for") {
    const char* const text = "an undefined tensor was used (a default-constructed handle)";
    const Tensor x = ones({2});
    Tensor none;
    CHECK_FALSE(none.defined());
    CHECK_THROWS_WITH_AS(none.shape(), text, ValueError);
    CHECK_THROWS_WITH_AS(none.numel(), text, ValueError);
    CHECK_THROWS_WITH_AS(none.dtype(), text, ValueError);
    CHECK_THROWS_WITH_AS(none.data<float>(), text, ValueError);
    CHECK_THROWS_WITH_AS(none.mutable_data<float>(), text, ValueError);
    CHECK_THROWS_WITH_AS(none.item(), text, ValueError);
    CHECK_THROWS_WITH_AS(none.at({0}), text, ValueError);
    CHECK_THROWS_WITH_AS(none.to_vector<float>(), text, ValueError);
    CHECK_THROWS_WITH_AS(none.clone(), text, ValueError);
    CHECK_THROWS_WITH_AS(none.detached(), text, ValueError);
    CHECK_THROWS_WITH_AS(none.view({1}, {1}, 0), text, ValueError);
    CHECK_THROWS_WITH_AS(none.fill(1), text, ValueError);
    CHECK_THROWS_WITH_AS(none.copy_from(x), text, ValueError);
    CHECK_THROWS_WITH_AS(ones({2}).copy_from(none), text, ValueError);
    CHECK_THROWS_WITH_AS(none.set_name("x"), text, ValueError);
    CHECK_THROWS_WITH_AS(none.name(), text, ValueError);
    CHECK_THROWS_WITH_AS(none.set_parameter(), text, ValueError);
    CHECK_THROWS_WITH_AS(none.is_parameter(), text, ValueError);
    CHECK_THROWS_WITH_AS(none.is_unique(), text, ValueError);
    CHECK_THROWS_WITH_AS(x.shares_storage(none), text, ValueError);
    CHECK_THROWS_WITH_AS(cast(none, Dtype::float64), text, ValueError);
    CHECK(to_string(none) == "undefined tensor");
}

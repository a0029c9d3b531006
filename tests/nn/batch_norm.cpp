#include <doctest/doctest.h>

#include <wengert/nn/nn.hpp>

#include "close.hpp"
#include "refused.hpp"
#include "temporary_directory.hpp"

using namespace wengert;

namespace {

constexpr NormStatistics batch = NormStatistics::batch;

}  // namespace

TEST_CASE("batch norm: parameters and state have PyTorch's names, shapes and initial values") {
    const BatchNorm norm(3);
    const NamedTensors named = named_parameters(norm), state = named_state(norm);
    REQUIRE(named.size() == 2);
    REQUIRE(state.size() == 5);
    const std::vector<std::string> names{"weight", "bias", "running_mean", "running_var", "num_batches_tracked"};
    const std::vector<Tensor> values{ones({3}), zeros({3}), zeros({3}), ones({3}), zeros({}, Dtype::int64)};
    for (std::size_t i = 0; i < 5; ++i) {
        CHECK(state[i].first == names[i]);
        CHECK(state[i].second.name() == names[i]);
        CHECK(difference(state[i].second, values[i], 0) == "");
        CHECK(state[i].second.is_parameter() == (i < 2));
    }
    CHECK(named_parameters(BatchNorm(3, {.affine = false})).empty());
    CHECK(norm.options.eps == 1e-5);
    CHECK(norm.options.momentum == 0.1);
}

TEST_CASE("batch norm: training normalises by the batch, evaluation by what it has seen") {
    BatchNorm norm(2, {.momentum = 0.25});
    norm.weight.copy_from(tensor({2, -1}));
    norm.bias.copy_from(tensor({0.5, 3}));
    const Tensor x = tensor({1, 10, 3, 10, 5, 40, 7, 20}, {4, 2});  // means 4 and 20, squared distances 20 and 600
    const Tensor y = norm(x, batch);
    CHECK(difference(y, batch_norm(x, norm.weight, norm.bias).outputs, 0) == "");
    CHECK(difference(norm.running_mean.tensor, tensor({1, 5}), 1e-6) == "");
    CHECK(difference(norm.running_var.tensor, tensor({0.75 + 0.25 * 20 / 3, 0.75 + 0.25 * 600 / 3}), 1e-5) == "");
    CHECK(norm.num_batches_tracked.tensor.item() == 1);
    const Tensor evaluated = norm(x);
    CHECK(difference(evaluated,
                     batch_norm(x, norm.running_mean.tensor, norm.running_var.tensor, norm.weight, norm.bias),
                     0) == "");
    CHECK(norm.num_batches_tracked.tensor.item() == 1);
    norm(x, batch);
    CHECK(difference(norm.running_mean.tensor, tensor({0.75 + 1, 3.75 + 5}), 1e-6) == "");
    CHECK(norm.num_batches_tracked.tensor.item() == 2);
}

TEST_CASE("batch norm: images and sequences have one statistic a channel") {
    const BatchNorm norm(3), flat(3);
    const Tensor x = cast(sample_values({2, 3, 4, 5}, -1, 1, 1), Dtype::float32);
    const Tensor rows = reshape(permute(x, {0, 2, 3, 1}), {40, 3});
    const Tensor y = norm(x, batch), want = flat(rows, batch);
    CHECK(difference(reshape(permute(y, {0, 2, 3, 1}), {40, 3}), want, 1e-6) == "");
    CHECK(difference(norm.running_var.tensor, flat.running_var.tensor, 1e-6) == "");
    CHECK(norm(reshape(x, {2, 3, 20})).shape() == Shape{2, 3, 20});
}

TEST_CASE("batch norm: statistics are neither followed nor recorded, whatever the tape does") {
    const BatchNorm norm(2);
    const Tensor x = tensor({1, 2, 3, 5}, {2, 2});
    Tape tape;
    tape.watch(x);
    const Tensor y = norm(x, batch);
    CHECK(tape.find(norm.running_mean.tensor) == no_node);
    const NodeId size = tape.size();
    CHECK(norm(x, batch).shape() == y.shape());
    CHECK(tape.size() > size);
    // The first pass's gradient does not mind that the statistics have changed since.
    CHECK(tape.gradient(sum(y * y), x).shape() == x.shape());
    CHECK_NOTHROW(require_visited(tape, norm));
}

TEST_CASE("batch norm: a copy shares the state, a clone has its own, and another dtype leaves the count") {
    const BatchNorm norm(2), copy = norm, cloned = clone(norm);
    const Tensor x = tensor({1, 2, 3, 5}, {2, 2});
    norm(x, batch);
    CHECK(copy.num_batches_tracked.tensor.item() == 1);
    CHECK(cloned.num_batches_tracked.tensor.item() == 0);
    CHECK(cloned.running_mean.tensor.name() == "running_mean");
    const BatchNorm wide = to(norm, Dtype::float64);
    CHECK(wide.running_mean.tensor.dtype() == Dtype::float64);
    CHECK(!wide.running_mean.tensor.is_parameter());
    CHECK(wide.num_batches_tracked.tensor.dtype() == Dtype::int64);
    CHECK(difference(wide(cast(x, Dtype::float64)), cast(norm(x), Dtype::float64), 1e-6) == "");
    wide(cast(x, Dtype::float64), batch);
    CHECK(norm.num_batches_tracked.tensor.item() == 1);
}

TEST_CASE("batch norm: a file holds the state and gives it back") {
    const TemporaryDirectory directory;
    const BatchNorm norm(2);
    norm(tensor({1, 2, 3, 5}, {2, 2}), batch);
    save(norm, directory.path() / "norm.safetensors");
    const TensorFile file = read_safetensors(directory.path() / "norm.safetensors");
    CHECK(file.tensors.size() == 5);
    CHECK(file.at("num_batches_tracked").dtype() == Dtype::int64);
    BatchNorm loaded(2);
    load(loaded, directory.path() / "norm.safetensors");
    for (std::size_t i = 0; i < 5; ++i)
        CHECK(difference(named_state(loaded)[i].second, named_state(norm)[i].second, 0) == "");
    BatchNorm bare(2, {.affine = false});
    CHECK_THROWS_AS(load(bare, directory.path() / "norm.safetensors"), FileError);
}

TEST_CASE("batch norm: gradients, in training and in evaluation") {
    BatchNorm norm = to(BatchNorm(2), Dtype::float64);
    norm.weight.copy_from(tensor({0.5, 2}));
    norm.running_mean.tensor.copy_from(tensor({0.5, -1}));
    norm.running_var.tensor.copy_from(tensor({2, 0.5}));
    for (const NormStatistics statistics : {batch, NormStatistics::running})
        for (const int order : {1, 2}) {
            const GradcheckResult result = gradcheck(
                norm, {sample_values({3, 2, 2}, -1, 1, 3)},
                [statistics](const BatchNorm& norm, const std::vector<Tensor>& in) { return norm(in[0], statistics); },
                {.order = order});
            CHECK_MESSAGE(result.passed, result.message);
        }
}

TEST_CASE("batch norm: what does not fit is an error at the caller's line, and leaves the state as it was") {
    CHECK_THROWS_WITH_AS(BatchNorm(0), "BatchNorm: a number of features is 0, less than 1", ValueError);
    CHECK_THROWS_WITH_AS(BatchNorm(4, {.eps = -1}), "BatchNorm: eps is -1, not 0 or more", ValueError);
    CHECK_THROWS_WITH_AS(BatchNorm(4, {.momentum = 1.5}), "BatchNorm: the momentum is 1.5, outside [0, 1]", ValueError);
    const BatchNorm norm(2), bare(2, {.affine = false}), empty;
    check_refused<ValueError>("batch_norm: the layer has no running_mean (default-constructed or moved from)", [&] {
        empty(zeros({2, 4}));
    });
    check_refused<ShapeError>("batch_norm: the mean must be [3] for x [4, 3], not [2]", [&] { norm(zeros({4, 3})); });
    check_refused<ShapeError>("batch_norm: the weight must be [3] for x [4, 3], not [2]", [&] {
        norm(zeros({4, 3}), batch);
    });
    check_refused<ShapeError>("batch_norm: the running statistics are of 2 channels, but x is [4, 3]", [&] {
        bare(zeros({4, 3}), batch);
    });
    check_refused<ShapeError>("batch_norm: x [1, 2] has 1 elements of each channel; statistics need 2 or more", [&] {
        norm(zeros({1, 2}), batch);
    });
    CHECK_THROWS_AS(bare(zeros({4, 2}, Dtype::float64), batch), DtypeError);
    for (const BatchNorm& layer : {norm, bare}) {
        CHECK(difference(layer.running_mean.tensor, zeros({2}), 0) == "");
        CHECK(difference(layer.running_var.tensor, ones({2}), 0) == "");
        CHECK(layer.num_batches_tracked.tensor.item() == 0);
    }
}

TEST_CASE("batch norm: a checkpoint's second run takes the batch in no second time") {
    const BatchNorm norm(2);
    const Tensor x = cast(sample_values({5, 2}, -1, 1, 1), Dtype::float32);
    Tape tape;
    tape.watch(x);
    const Tensor y = checkpoint([&](const Tensor& z) { return norm(z, batch); }, x);
    const Tensor mean = norm.running_mean.tensor.clone();
    tape.gradient(y, x, {.cotangent = x});
    CHECK(norm.num_batches_tracked.tensor.item<std::int64_t>() == 1);
    CHECK(difference(norm.running_mean.tensor, mean, 0) == "");
}

#include <fmt/format.h>

#include <algorithm>
#include <wengert/autograd/tape/scope.hpp>
#include <wengert/nn/minibatches.hpp>
#include <wengert/ops/random/distributions.hpp>
#include <wengert/ops/shape/views.hpp>

namespace wengert {

Minibatches::Minibatches(std::int64_t examples, const Generator& generator, const MinibatchOptions& options)
    : examples_(examples), options_(options), generator_(generator) {
    if (examples < 1) throw ValueError(fmt::format("{} examples are no batch", examples));
    if (options.batch_size < 1)
        throw ValueError(fmt::format("the batch size is {}, not 1 or more", options.batch_size));
    if (batch_count() == 0)
        throw ValueError(fmt::format("{} examples are fewer than a batch of {}, and the last is dropped", examples,
                                     options.batch_size));
    draw_order();
}

void Minibatches::draw_order() {
    position_ = generator_.position();
    order_ = options_.is_shuffled ? permutation(examples_, generator_) : arange(examples_);
}

std::int64_t Minibatches::batch_count() const {
    const std::int64_t full = examples_ / options_.batch_size;
    return full + (options_.drop_last || examples_ % options_.batch_size == 0 ? 0 : 1);
}

Tensor Minibatches::next() {
    if (batch_ == batch_count()) {
        batch_ = 0;
        ++epoch_;
        draw_order();
        return {};
    }
    const std::int64_t begin = batch_++ * options_.batch_size;
    return slice(order_, 0, begin, std::min(begin + options_.batch_size, examples_));
}

NamedTensors Minibatches::state() const {
    const auto number = [](auto n) { return tensor(std::vector{static_cast<std::int64_t>(n)}, {}); };
    return {{"seed", number(generator_.seed())},
            {"stream", number(generator_.stream())},
            {"position", number(position_)},
            {"epoch", number(epoch_)},
            {"batch", number(batch_)}};
}

void Minibatches::load_state(const NamedTensors& from, const SourceLine& where) try {
    const NamedTensors here = state();
    assign(here, from);
    const auto number = [&here](std::size_t i) { return here[i].second.item<std::int64_t>(); };
    const std::int64_t epoch = number(3), batch = number(4);
    if (epoch < 0) throw ValueError(fmt::format("the number of epochs is {}", epoch));
    if (batch < 0 || batch > batch_count())
        throw ValueError(fmt::format("batch {} is outside an epoch of {} batches", batch, batch_count()));
    // A seed, a stream and a position have 64 bits, of which the first is no sign.
    generator_ = Generator(static_cast<std::uint64_t>(number(0)), static_cast<std::uint64_t>(number(1)));
    generator_.seek(static_cast<std::uint64_t>(number(2)));
    draw_order();
    epoch_ = epoch;
    batch_ = batch;
} catch (Error& error) {
    error.locate("load_state", to_string(current_place()), where);
    throw;
}

}  // namespace wengert

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <system_error>
#include <wengert/nn/overlapped_reduction.hpp>

namespace wengert {
OverlappedReduction::OverlappedReduction(Communicator& ranks, const std::vector<Tensor>& parameters, ReduceOp op,
                                         Wire wire) try
    : ranks_(ranks),
      parameters_(parameters),
      op_(op),
      wire_(wire),
      gradients_(parameters.size()),
      is_given_(parameters.size()) {
    std::int64_t elements = 0;
    for (std::size_t i = parameters.size(); i-- > 0;) {
        if (!parameters[i].defined())
            throw ValueError(fmt::format("OverlappedReduction: parameter {} is an undefined tensor", i));
        if (buckets_.empty() || elements >= Communicator::bucket) {
            buckets_.push_back({i + 1, i + 1, 0});
            elements = 0;
        }
        --buckets_.back().begin;
        ++buckets_.back().missing;
        elements += parameters[i].numel();
    }
    ranks.reserve(parameters);
    if (ranks.size() == 1 || !ranks.allows_other_threads()) return;
    try {
        thread_ = std::thread([this] { send(); });
    } catch (const std::system_error&) {
        // There may be no more threads: complete() sends.
    }
} catch (...) {
    ranks.give_up();  // the others have begun
    throw;
}

OverlappedReduction::~OverlappedReduction() {
    if (is_finished_) return;
    {
        const std::scoped_lock lock(mutex_);
        is_abandoned_ = true;
    }
    given_.notify_one();
    complete();
}

void OverlappedReduction::give(std::size_t i, Tensor gradient) {
    if (i >= parameters_.size())
        throw ValueError(fmt::format("give: there is no parameter {} of {}", i, parameters_.size()));
    const Tensor& parameter = parameters_[i];
    if (gradient.shape() != parameter.shape())
        throw ShapeError(fmt::format("give: the gradient by parameter {} is {}, the parameter {}", i,
                                     to_string(gradient.shape()), to_string(parameter.shape())));
    if (gradient.dtype() != parameter.dtype())
        throw DtypeError(fmt::format("give: the gradient by parameter {} is {}, the parameter {}", i,
                                     to_string(gradient.dtype()), to_string(parameter.dtype())));
    if (is_given_[i]) throw ValueError(fmt::format("give: the gradient by parameter {} is there already", i));
    // What all_reduce() would copy is copied here, where memory that runs out is an error of this rank's step alone.
    if (!gradient.is_unique() || !gradient.is_contiguous()) gradient = gradient.clone();
    gradients_[i] = std::move(gradient);
    is_given_[i] = true;
    const std::scoped_lock lock(mutex_);
    const auto bucket = std::ranges::find_if(buckets_, [i](const Bucket& b) { return i >= b.begin; });
    if (--bucket->missing == 0) given_.notify_one();
}

std::vector<Tensor> OverlappedReduction::finish() {
    if (is_finished_) throw ValueError("finish: it was called already");
    for (std::size_t i = 0; i < is_given_.size(); ++i)
        if (!is_given_[i]) throw ValueError(fmt::format("finish: there is no gradient by parameter {}", i));
    is_finished_ = true;
    complete();
    if (error_ != nullptr) std::rethrow_exception(error_);
    return std::move(gradients_);
}

/// Sends each bucket when all of it is there.
void OverlappedReduction::send() try {
    for (const Bucket& bucket : buckets_) {
        {
            std::unique_lock lock(mutex_);
            given_.wait(lock, [&] { return bucket.missing == 0 || is_abandoned_; });
            if (bucket.missing > 0) return ranks_.give_up();
        }
        const auto begin = gradients_.begin() + static_cast<std::ptrdiff_t>(bucket.begin),
                   end = gradients_.begin() + static_cast<std::ptrdiff_t>(bucket.end);
        std::vector<Tensor> tensors{std::move_iterator(begin), std::move_iterator(end)};
        ranks_.all_reduce(tensors, op_, wire_);
        std::ranges::move(tensors, begin);
    }
} catch (...) {
    error_ = std::current_exception();
}

void OverlappedReduction::complete() {
    if (thread_.joinable())
        thread_.join();
    else
        send();
}

}  // namespace wengert

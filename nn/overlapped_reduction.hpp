#pragma once

#include <condition_variable>
#include <cstddef>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>
#include <wengert/nn/communicator.hpp>

namespace WENGERT_EXPORT wengert {

/// Adds up the gradients of all ranks while backward still runs. Each step has one:
///
///     OverlappedReduction reduction(*world, trained, ReduceOp::mean);
///     tape.gradient(loss, trained, {.take = [&](std::size_t i, Tensor g) { reduction.give(i, std::move(g)); }});
///     optimizer.step(reduction.finish());
///
/// Gradients travel in buckets, from the last parameter to the first, since backward is done with the last layers
/// first. A thread sends a bucket when all of it is there. While this lives, nobody else calls the communicator or MPI.
/// Sums have the same bits as those of Communicator::all_reduce(). If MPI allows no second thread, all travel in
/// finish().
class OverlappedReduction {
  public:
    /// The parameters are the same on all ranks. Throws ValueError if one is undefined. If it throws on one rank,
    /// finish() throws AbandonedError on those that have begun.
    OverlappedReduction(Communicator& ranks, const std::vector<Tensor>& parameters, ReduceOp op = ReduceOp::sum,
                        Wire wire = Wire::exact);
    /// If a gradient is missing, finish() throws AbandonedError on the other ranks: one whose step failed lets none
    /// wait.
    ~OverlappedReduction();
    OverlappedReduction(const OverlappedReduction&) = delete;
    OverlappedReduction& operator=(const OverlappedReduction&) = delete;

    /// The gradient by parameter i. Throws ValueError if there is no such parameter or its gradient is there already,
    /// ShapeError or DtypeError if it is not like the parameter.
    void give(std::size_t i, Tensor gradient);
    /// The sums, or means, in the order of the parameters, when all are there. Throws ValueError if a gradient is
    /// missing or it was called already, and what all_reduce() throws.
    std::vector<Tensor> finish();

  private:
    struct Bucket {
        std::size_t begin, end;  // of the parameters
        std::size_t missing;
    };

    void send();
    void complete();

    Communicator& ranks_;
    const std::vector<Tensor> parameters_;
    const ReduceOp op_;
    const Wire wire_;
    std::vector<Tensor> gradients_;  // the thread has those of a bucket of which none is missing
    std::vector<bool> is_given_;
    std::vector<Bucket> buckets_;  // in the order in which they travel
    std::mutex mutex_;             // of what is missing, and of is_abandoned_
    std::condition_variable given_;
    std::exception_ptr error_;
    bool is_finished_ = false, is_abandoned_ = false;
    std::thread thread_;
};

}  // namespace wengert

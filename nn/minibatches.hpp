#pragma once

#include <cstdint>
#include <iterator>
#include <wengert/nn/named_tensors.hpp>
#include <wengert/ops/random/random.hpp>

namespace WENGERT_EXPORT wengert {

struct MinibatchOptions {
    std::int64_t batch_size = 32;  ///< examples in a batch; the last one may have fewer
    bool is_shuffled = true;       ///< whether each epoch has a random order; else examples come as they are counted
    bool drop_last = false;        ///< leaves out a last batch that is not full
};

/// The order in which a training sees its examples: a range over the indices of one epoch, cut in batches, int64 [k].
///
///     Minibatches batches(images.dim(0), Generator(seed, streams::batches), {.batch_size = 64});
///     while (batches.epoch() < 10)
///         for (const Tensor& batch : batches)
///             train(index_select(images, 0, batch), index_select(labels, 0, batch));
///
/// Each epoch has an order of its own, a permutation() from the generator. A batch counts as done when it is handed
/// out: a loop that is left, or a state() that is taken in its body, goes on with the next one.
class Minibatches {
  public:
    /// Of `examples` examples. Throws ValueError unless there is a batch: if one of the numbers is less than 1, or the
    /// last batch is dropped and would be the only one.
    explicit Minibatches(std::int64_t examples, const Generator& generator = Generator(),
                         const MinibatchOptions& options = {});
    Minibatches(const Minibatches&) = delete;
    Minibatches& operator=(const Minibatches&) = delete;

    /// An input iterator over what is left of an epoch.
    class Iterator {
      public:
        /// A batch is a tensor of indices.
        using value_type = Tensor;
        /// As the standard asks of an iterator.
        using difference_type = std::ptrdiff_t;

        /// The indices of the batch, int64 [k].
        const Tensor& operator*() const { return batch_; }
        /// Hands out the next batch.
        Iterator& operator++() {
            batch_ = owner_->next();
            return *this;
        }
        /// The same.
        void operator++(int) { ++*this; }
        friend bool operator==(const Iterator& at, std::default_sentinel_t) { return !at.batch_.defined(); }

      private:
        friend class Minibatches;
        explicit Iterator(Minibatches& owner) : owner_(&owner), batch_(owner.next()) {}
        Minibatches* owner_;
        Tensor batch_;
    };
    /// The batches that are left of this epoch. To begin hands out the first of them.
    Iterator begin() { return Iterator(*this); }
    /// Behind the last batch of an epoch.
    static std::default_sentinel_t end() { return {}; }

    /// The next batch; undefined at the end of an epoch, and after that the first of the next one.
    Tensor next();

    /// How many batches an epoch has.
    std::int64_t batch_count() const;
    /// How many epochs have ended.
    std::int64_t epoch() const { return epoch_; }

    /// All that another range over as many examples, with the same options, needs to go on from here: "seed", "stream"
    /// and "position", where the generator was before this epoch's order, "epoch" and "batch", how many batches of it
    /// were handed out, each [] int64.
    NamedTensors state() const;
    /// Goes on from a state(). Throws ValueError, before anything is changed, unless it has just these names and
    /// shapes, a number of epochs of 0 or more, and one of batches that an epoch has.
    void load_state(const NamedTensors& state, const SourceLine& where = std::source_location::current());

  private:
    void draw_order();

    std::int64_t examples_;
    MinibatchOptions options_;
    Generator generator_;
    std::uint64_t position_ = 0;  ///< of the generator before order_
    Tensor order_;
    std::int64_t epoch_ = 0, batch_ = 0;
};

}  // namespace wengert

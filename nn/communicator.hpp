#pragma once

#include <concepts>
#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>
#include <wengert/autograd/tensor/error.hpp>
#include <wengert/autograd/tensor/tensor.hpp>

namespace WENGERT_EXPORT wengert {

/// What all_reduce() makes of the tensors of all ranks.
enum class ReduceOp { sum, mean };
/// How elements travel between ranks: as they are, or rounded to bfloat16, which is half of float32's bytes.
enum class Wire { exact, bfloat16 };

/// Another rank failed, or does not do what this one does. The text names the rank.
struct RankError : Error {
    using Error::Error;
};

/// Another rank gave up what this one took part in. That rank has the reason; see Communicator::all_or_none().
struct AbandonedError : RankError {
    using RankError::RankError;
};

/// Processes that train one model together, each on its share of the data. A process is a rank, counted from 0:
///
///     const auto world = mpi_communicator();                   // of nn/mpi.hpp
///     world->broadcast(parameters(model));                     // once: all begin alike
///     std::vector<Tensor> gradients = tape.gradient(loss, parameters(model));
///     world->all_reduce(gradients, ReduceOp::mean);            // each step
///
/// Every function but rank() and size() is collective: all ranks call it, in the same order, or those that do wait for
/// the others. One thread of a process calls them at a time. What fails in MPI is an Error with its words.
class Communicator {
  public:
    virtual ~Communicator() = default;
    Communicator(const Communicator&) = delete;
    Communicator& operator=(const Communicator&) = delete;

    /// Which of the processes this is, in [0, size()).
    virtual int rank() const = 0;
    /// How many there are.
    virtual int size() const = 0;

    /// Each tensor becomes the sum over all ranks of the tensors in its place, or their mean. Elements are added in the
    /// order of the ranks, in the tensor's dtype, so that every rank has the same bits, in every run. Elements that
    /// another handle refers to stay as they are, and the result takes their place in `tensors`. With Wire::bfloat16
    /// each rank's elements and their sum are rounded, and added in the tensor's dtype; one rank alone rounds nothing.
    /// Throws, on all ranks, RankError unless all have the same shapes, dtypes, op and wire, ValueError if a tensor is
    /// undefined, and DtypeError if it is not float32 or float64.
    void all_reduce(std::vector<Tensor>& tensors, ReduceOp op = ReduceOp::sum, Wire wire = Wire::exact);

    /// Overwrites the elements of the tensors, of any dtype, with those that rank `root` has in their places. Throws
    /// ValueError if there is no such rank, and, on all ranks, RankError unless all have the same shapes and dtypes,
    /// and ValueError if a tensor is undefined.
    void broadcast(const std::vector<Tensor>& tensors, int root = 0);
    /// The text that rank `root` has. Throws ValueError if there is no such rank.
    std::string broadcast(std::string text, int root = 0);

    /// What each rank has, in the order of the ranks.
    template <std::default_initializable T>
    requires(std::is_trivially_copyable_v<T> && !std::same_as<T, bool>) std::vector<T> all_gather(const T& mine) {
        std::vector<T> all(static_cast<std::size_t>(size()));
        gather(std::as_bytes(std::span(&mine, 1)), std::as_writable_bytes(std::span(all)));
        return all;
    }

    /// Returns when all ranks have called it.
    void barrier() { all_gather(rank()); }

    /// Runs `work` on each rank, which calls nothing collective, or leaves it to an OverlappedReduction. If it throws
    /// on one, it fails on all, and none waits for another: what it threw here is passed on, and a RankError elsewhere
    /// has the number of the first such rank and its message.
    void all_or_none(const std::function<void()>& work);

    /// Whether another thread than the one that made this may call it.
    virtual bool allows_other_threads() const { return true; }

  protected:
    Communicator() = default;

    /// Both are size() parts of equal length: part i of `from` becomes part rank() of rank i's `to`.
    virtual void exchange(std::span<const std::byte> from, std::span<std::byte> to) = 0;
    /// `to` becomes what each rank gives, which is of equal length, in the order of the ranks.
    virtual void gather(std::span<const std::byte> from, std::span<std::byte> to) = 0;
    /// `bytes` become those of rank `root`; of equal length on all.
    virtual void send_from(int root, std::span<std::byte> bytes) = 0;

  private:
    friend class OverlappedReduction;
    /// So many elements travel at once: enough that latency does not count, and little beside what a step keeps.
    static constexpr std::int64_t bucket = std::int64_t{1} << 20;
    struct Piece;
    /// Memory for the exchange of such tensors, so that it does not run out while other ranks wait.
    void reserve(const std::vector<Tensor>& tensors);
    void reserve(std::size_t bytes);
    /// In place of the next all_reduce(), which throws AbandonedError on the other ranks.
    void give_up();
    void require_alike(std::string_view caller, const std::vector<Tensor>& tensors, std::string_view how = {});
    template <class T, class Sent>
    void reduce(std::span<const Piece> pieces, ReduceOp op);

    std::vector<std::byte> sent_, received_;  // one bucket
};

/// A process of its own: rank 0 of 1, whose sums are what it has.
class SingleProcess final : public Communicator {
  public:
    int rank() const override { return 0; }
    int size() const override { return 1; }

  protected:
    void exchange(std::span<const std::byte> from, std::span<std::byte> to) override;
    void gather(std::span<const std::byte> from, std::span<std::byte> to) override;
    void send_from(int root, std::span<std::byte> bytes) override;
};

/// One for whoever asks for none.
Communicator& single_process();

}  // namespace wengert

#pragma once

#include <algorithm>
#include <atomic>
#include <barrier>
#include <cstddef>
#include <cstdint>
#include <span>
#include <thread>
#include <utility>
#include <vector>
#include <wengert/nn/communicator.hpp>

namespace wengert {

/// Ranks that are threads of one process: what is sent is copied from thread to thread.
class ThreadRanks {
  public:
    explicit ThreadRanks(int size, bool allows_other_threads = true)
        : from_(static_cast<std::size_t>(size)), barrier_(size), allows_other_threads_(allows_other_threads) {}

    /// How often rank 0 has exchanged parts with the others.
    int exchanges() const { return exchanges_; }

    /// Runs work(Communicator&) on each rank. It must throw nothing.
    void run(const auto& work) {
        std::vector<std::thread> threads;
        for (int rank = 0; rank < std::ssize(from_); ++rank)
            threads.emplace_back([&, rank] {
                One one(*this, rank);
                work(static_cast<Communicator&>(one));
            });
        for (std::thread& thread : threads) thread.join();
    }

  private:
    class One final : public Communicator {
      public:
        One(ThreadRanks& all, int rank) : all_(all), rank_(rank) {}
        int rank() const override { return rank_; }
        int size() const override { return static_cast<int>(all_.from_.size()); }
        bool allows_other_threads() const override { return all_.allows_other_threads_; }

      protected:
        void exchange(std::span<const std::byte> from, std::span<std::byte> to) override {
            if (rank_ == 0) ++all_.exchanges_;
            const std::size_t part = to.size() / all_.from_.size();
            share(from, [&](std::size_t rank, std::span<const std::byte> theirs) {
                std::ranges::copy(theirs.subspan(static_cast<std::size_t>(rank_) * part, part),
                                  to.subspan(rank * part).begin());
            });
        }
        void gather(std::span<const std::byte> from, std::span<std::byte> to) override {
            share(from, [&](std::size_t rank, std::span<const std::byte> theirs) {
                std::ranges::copy(theirs, to.subspan(rank * theirs.size()).begin());
            });
        }
        void send_from(int root, std::span<std::byte> bytes) override {
            share(bytes, [&](std::size_t rank, std::span<const std::byte> theirs) {
                if (std::cmp_equal(rank, root) && root != rank_) std::ranges::copy(theirs, bytes.begin());
            });
        }

      private:
        void share(std::span<const std::byte> mine, const auto& take) {
            all_.from_[static_cast<std::size_t>(rank_)] = mine;
            all_.barrier_.arrive_and_wait();
            for (std::size_t rank = 0; rank < all_.from_.size(); ++rank) take(rank, all_.from_[rank]);
            all_.barrier_.arrive_and_wait();
        }

        ThreadRanks& all_;
        const int rank_;
    };

    std::vector<std::span<const std::byte>> from_;
    std::barrier<> barrier_;
    const bool allows_other_threads_;
    std::atomic<int> exchanges_ = 0;
};

}  // namespace wengert

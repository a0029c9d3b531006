#include "worker_pool.hpp"

#include <fmt/format.h>

#include <exception>
#include <system_error>
#include <utility>
#include <wengert/autograd/tensor/error.hpp>
#include <wengert/ops/products/threads.hpp>

namespace wengert::program {
namespace {

std::size_t checked(int threads) {
    if (threads < 1) throw ValueError(fmt::format("there must be at least one thread, not {}", threads));
    return static_cast<std::size_t>(threads);
}

}  // namespace

WorkerPool::WorkerPool(int threads, std::size_t queue) : most_(checked(threads) + queue) {
    try {
        for (int i = 0; i < threads; ++i)
            threads_.emplace_back([this, precision = ProductPrecision::current()] { work(precision); });
    } catch (const std::system_error& error) {
        end();
        throw ValueError(fmt::format("the system gives {} of {} threads: {}", threads_.size(), threads, error.what()));
    }
}

WorkerPool::~WorkerPool() { end(); }

void WorkerPool::end() {
    stop();
    for (std::thread& thread : threads_) thread.join();
}

WorkerPool::Outcome WorkerPool::run(std::function<void()> job) {
    std::promise<void> promise;
    std::future<void> end = promise.get_future();
    {
        const std::lock_guard lock(mutex_);
        if (is_stopped_) return Outcome::stopped;
        if (running_ + waiting_.size() >= most_) return Outcome::full;
        waiting_.push_back({std::move(job), std::move(promise)});
    }
    changed_.notify_one();
    try {
        end.get();
    } catch (const std::future_error&) {  // stop() has thrown the job away
        return Outcome::stopped;
    }
    return Outcome::done;
}

void WorkerPool::stop() {
    {
        const std::lock_guard lock(mutex_);
        is_stopped_ = true;
        waiting_.clear();
    }
    changed_.notify_all();
}

void WorkerPool::work(Precision precision) {
    std::unique_lock lock(mutex_);
    set_thread_count(1);  // one thread at a time: a part of it is the process's
    const ProductPrecision products(precision);
    for (;;) {
        changed_.wait(lock, [this] { return is_stopped_ || !waiting_.empty(); });
        if (waiting_.empty()) return;
        Job job = std::move(waiting_.front());
        waiting_.pop_front();
        ++running_;
        lock.unlock();
        std::exception_ptr failure;
        try {
            job.work();
        } catch (...) {
            failure = std::current_exception();
        }
        lock.lock();
        --running_;  // before its end is known: who asks again at once has its place
        failure != nullptr ? job.end.set_exception(failure) : job.end.set_value();
    }
}

}  // namespace wengert::program

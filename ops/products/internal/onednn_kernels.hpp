#pragma once

#include <omp.h>

#include <array>
#include <memory>
#include <oneapi/dnnl/dnnl.hpp>
#include <unordered_map>
#include <wengert/autograd/tensor/tensor.hpp>

/// What those have in common that call oneDNN.
namespace wengert::onednn {

using Dims = dnnl::memory::dims;
using Desc = dnnl::memory::desc;
using Type = dnnl::memory::data_type;
using Tag = dnnl::memory::format_tag;

/// Never destroyed, so that objects in static storage may multiply to their end.
inline const dnnl::engine& engine() {
    static const dnnl::engine& cpu = *new dnnl::engine(dnnl::engine::kind::cpu, 0);
    return cpu;
}

/// Memory for its kernels.
inline Tensor room(std::size_t bytes) { return Tensor::empty({static_cast<std::int64_t>(bytes / sizeof(float) + 1)}); }

/// A kernel shares its work among the threads that it was made for, and leaves undone what falls to one that OpenMP
/// does not give it.
inline bool gets_its_threads() {
    return !omp_in_parallel() && !omp_get_dynamic() && omp_get_max_active_levels() > 0 &&
           omp_get_max_threads() <= omp_get_thread_limit();
}
/// The same for float32: a kernel for one thread shares its work with none.
inline bool gets_its_threads_or_is_alone() { return omp_get_max_threads() == 1 || gets_its_threads(); }

/// The T of this thread; null when it has ended. Objects that outlive it may still compute, then without oneDNN.
template <class T>
T* of_this_thread() {
    static constinit thread_local bool has_ended = false;
    struct Owner {
        T object;
        ~Owner() { has_ended = true; }
    };
    if (has_ended) return nullptr;
    thread_local Owner owner;
    return &owner.object;
}

/// What a kernel is made for: lengths, strides, and the number of threads.
template <std::size_t n>
using Key = std::array<std::int64_t, n>;
struct Hash {
    template <std::size_t n>
    std::size_t operator()(const Key<n>& key) const {
        std::size_t hash = 0;
        for (const std::int64_t number : key) hash = (hash ^ static_cast<std::size_t>(number)) * 0x9e3779b97f4a7c15;
        return hash ^ hash >> 32;
    }
};

/// Kernels, which take a good part of a millisecond to compile. Null: there is no fast one.
template <std::size_t n, class Kernel>
class Kernels {
  public:
    template <class Make>
    Kernel* find(const Key<n>& key, const Make& make) {
        constexpr std::size_t most = 1024;
        if (const auto known = kernels_.find(key); known != kernels_.end()) return known->second.get();
        if (kernels_.size() == most) kernels_.clear();
        return (kernels_[key] = make()).get();
    }

  private:
    std::unordered_map<Key<n>, std::unique_ptr<Kernel>, Hash> kernels_;
};

}  // namespace wengert::onednn

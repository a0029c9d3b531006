#include <omp.h>

#include <algorithm>
#include <array>
#include <oneapi/dnnl/dnnl.hpp>
#include <string_view>
#include <unordered_map>
#include <wengert/autograd/tensor.hpp>
#include <wengert/ops/onednn.hpp>

namespace wengert::onednn {
namespace {

using Dims = dnnl::memory::dims;
using Desc = dnnl::memory::desc;

/// Never destroyed, so that objects in static storage may multiply to their end.
const dnnl::engine& engine() {
    static const dnnl::engine& cpu = *new dnnl::engine(dnnl::engine::kind::cpu, 0);
    return cpu;
}

template <class T>
Desc describe(const gemm::Matrix<T>& m) {
    const bool by_rows = (m.column_stride == 1 || m.columns == 1) && (m.row_stride >= m.columns || m.rows == 1);
    const Dims strides =
        by_rows ? Dims{m.rows == 1 ? m.columns : m.row_stride, 1} : Dims{1, m.columns == 1 ? m.rows : m.column_stride};
    return {{m.rows, m.columns}, dnnl::memory::data_type::f32, strides};
}

dnnl::matmul::primitive_desc kernel_for(const Desc& a, const Desc& b, const Desc& c, bool accumulate) {
    dnnl::primitive_attr attributes;
    if (accumulate) {
        dnnl::post_ops sum;
        sum.append_sum();
        attributes.set_post_ops(sum);
    }
#if DNNL_VERSION_MAJOR < 3
    return {dnnl::matmul::desc(a, b, c), attributes, engine(), true};
#else
    return {engine(), a, b, c, attributes, true};
#endif
}

/// Other kernels than these are no faster than OpenBLAS's, or very slow ones for reference.
bool is_block_gemm(const dnnl::matmul::primitive_desc& kernel) {
    return kernel && std::string_view(kernel.impl_info_str()).starts_with("brg");
}

struct PackedMatrix final : gemm::Packed {
    explicit PackedMatrix(const Desc& desc)
        : elements(Tensor::empty({static_cast<std::int64_t>(desc.get_size() / sizeof(float))})),
          memory(desc, engine(), elements.raw()) {}
    std::int64_t bytes() const override { return static_cast<std::int64_t>(memory.get_desc().get_size()); }

    Tensor elements;
    dnnl::memory memory;
};

/// A kernel for products of one shape, with what it takes to call it.
struct Product {
    dnnl::matmul kernel;
    dnnl::memory a, b, c;
    std::unordered_map<int, dnnl::memory> arguments;

    explicit Product(const dnnl::matmul::primitive_desc& desc)
        : kernel(desc),
          a(desc.src_desc(), engine(), nullptr),
          b(desc.weights_desc(), engine(), nullptr),
          c(desc.dst_desc(), engine(), nullptr),
          arguments{{DNNL_ARG_SRC, a}, {DNNL_ARG_WEIGHTS, b}, {DNNL_ARG_DST, c}} {}
};

/// A kernel that packs matrices of one shape.
struct Packing {
    dnnl::memory plain;
    Desc packed;
    dnnl::reorder kernel;

    Packing(const Desc& from, const Desc& to)
        : plain(from, engine(), nullptr),
          packed(to),
          kernel(dnnl::reorder::primitive_desc(engine(), from, engine(), to)) {}
};

/// What a kernel is made for: lengths and strides of the matrices, whether c is added to, and the number of threads.
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

/// Kernels, which take a millisecond and more to compile. Null: there is no fast one.
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

constinit thread_local bool thread_has_ended = false;

/// What each thread has for itself. Objects that outlive it may still multiply, then without oneDNN.
struct Workshop {
    dnnl::stream stream{engine()};
    Kernels<5, Packing> packings;
    Kernels<8, Product> products;
    ~Workshop() { thread_has_ended = true; }
};
Workshop& workshop() {
    thread_local Workshop workshop;
    return workshop;
}

/// A kernel shares its work among the threads that it was made for, and leaves undone what falls to one that OpenMP
/// does not give it.
bool gets_its_threads() {
    return !omp_in_parallel() && !omp_get_dynamic() && omp_get_max_active_levels() > 0 &&
           omp_get_max_threads() <= omp_get_thread_limit();
}

}  // namespace

bool is_built() { return true; }
bool is_fast() { return dnnl::get_effective_cpu_isa() >= dnnl::cpu_isa::avx512_core; }

std::shared_ptr<const gemm::Packed> pack(const gemm::Matrix<const float>& b) try {
    if (thread_has_ended || !gets_its_threads()) return nullptr;
    Workshop& shop = workshop();
    const Key<5> key{b.rows, b.columns, b.row_stride, b.column_stride, omp_get_max_threads()};
    Packing* const packing = shop.packings.find(key, [&] {
        // The layout must not depend on how many rows the left operands have, so it is that for a usual number.
        constexpr std::int64_t usual_rows = 64;
        const gemm::Matrix<const float> a{nullptr, usual_rows, b.rows, b.rows, 1},
            c{nullptr, usual_rows, b.columns, b.columns, 1};
        const Desc any({b.rows, b.columns}, dnnl::memory::data_type::f32, dnnl::memory::format_tag::any);
        const dnnl::matmul::primitive_desc product = kernel_for(describe(a), any, describe(c), false);
        return is_block_gemm(product) ? std::make_unique<Packing>(describe(b), product.weights_desc()) : nullptr;
    });
    if (packing == nullptr) return nullptr;
    auto packed = std::make_shared<PackedMatrix>(packing->packed);
    packing->plain.set_data_handle(const_cast<float*>(b.data));
    packing->kernel.execute(shop.stream, packing->plain, packed->memory);
    return packed;
} catch (const dnnl::error&) {
    return nullptr;
}

bool multiply(const gemm::Matrix<const float>& a, const gemm::Packed& b, const gemm::Matrix<float>& c,
              bool accumulate) try {
    if (thread_has_ended || !gets_its_threads()) return false;
    Workshop& shop = workshop();
    const dnnl::memory& packed = static_cast<const PackedMatrix&>(b).memory;
    const Key<8> key{c.rows,          c.columns,    a.columns,  a.row_stride,
                     a.column_stride, c.row_stride, accumulate, omp_get_max_threads()};
    Product* const product = shop.products.find(key, [&] {
        const auto kernel = kernel_for(describe(a), packed.get_desc(), describe(c), accumulate);
        return is_block_gemm(kernel) ? std::make_unique<Product>(kernel) : nullptr;
    });
    if (product == nullptr || product->b.get_desc() != packed.get_desc()) return false;
    product->a.set_data_handle(const_cast<float*>(a.data));
    product->b.set_data_handle(packed.get_data_handle());
    product->c.set_data_handle(c.data);
    product->kernel.execute(shop.stream, product->arguments);
    return true;
} catch (const dnnl::error&) {
    return false;
}

}  // namespace wengert::onednn

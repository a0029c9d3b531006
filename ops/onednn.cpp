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

const dnnl::engine& engine() {
    static const dnnl::engine cpu(dnnl::engine::kind::cpu, 0);
    return cpu;
}
dnnl::stream& stream() {
    thread_local dnnl::stream stream(engine());
    return stream;
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
bool is_fast(const dnnl::matmul::primitive_desc& kernel) {
    return kernel && std::string_view(kernel.impl_info_str()).starts_with("brg");
}

class PackedMatrix final : public gemm::Packed {
  public:
    explicit PackedMatrix(const Desc& desc)
        : elements_(Tensor::empty({static_cast<std::int64_t>(desc.get_size() / sizeof(float))})),
          memory(desc, engine(), elements_.raw()) {}
    std::int64_t bytes() const override { return static_cast<std::int64_t>(memory.get_desc().get_size()); }

  private:
    Tensor elements_;

  public:
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

    void operator()(const float* a_data, const void* b_data, float* c_data) {
        a.set_data_handle(const_cast<float*>(a_data));
        b.set_data_handle(const_cast<void*>(b_data));
        c.set_data_handle(c_data);
        kernel.execute(stream(), arguments);
    }
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

/// All that a kernel depends on: lengths and strides of the matrices, and whether c is added to.
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

/// A thread's kernels: making one compiles its code, which takes a millisecond and more. Null: there is no fast one.
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

}  // namespace

bool is_built() { return true; }
bool is_fast() { return dnnl::get_effective_cpu_isa() >= dnnl::cpu_isa::avx512_core; }

std::shared_ptr<const gemm::Packed> pack(const gemm::Matrix<const float>& b) {
    thread_local Kernels<4, Packing> kernels;
    Packing* const packing = kernels.find({b.rows, b.columns, b.row_stride, b.column_stride}, [&] {
        // The layout must not depend on how many rows the left operands have, so it is that for a usual number.
        constexpr std::int64_t usual_rows = 64;
        const gemm::Matrix<const float> a{nullptr, usual_rows, b.rows, b.rows, 1},
            c{nullptr, usual_rows, b.columns, b.columns, 1};
        const Desc any({b.rows, b.columns}, dnnl::memory::data_type::f32, dnnl::memory::format_tag::any);
        const dnnl::matmul::primitive_desc product = kernel_for(describe(a), any, describe(c), false);
        return is_fast(product) ? std::make_unique<Packing>(describe(b), product.weights_desc()) : nullptr;
    });
    if (packing == nullptr) return nullptr;
    auto packed = std::make_shared<PackedMatrix>(packing->packed);
    packing->plain.set_data_handle(const_cast<float*>(b.data));
    packing->kernel.execute(stream(), packing->plain, packed->memory);
    return packed;
}

bool multiply(const gemm::Matrix<const float>& a, const gemm::Packed& b, const gemm::Matrix<float>& c,
              bool accumulate) {
    thread_local Kernels<7, Product> kernels;
    const dnnl::memory& packed = static_cast<const PackedMatrix&>(b).memory;
    Product* const product =
        kernels.find({c.rows, c.columns, a.columns, a.row_stride, a.column_stride, c.row_stride, accumulate}, [&] {
            const auto kernel = kernel_for(describe(a), packed.get_desc(), describe(c), accumulate);
            return is_fast(kernel) ? std::make_unique<Product>(kernel) : nullptr;
        });
    if (product == nullptr) return false;
    (*product)(a.data, packed.get_data_handle(), c.data);
    return true;
}

}  // namespace wengert::onednn

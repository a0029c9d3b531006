#include <algorithm>
#include <array>
#include <string_view>
#include <wengert/autograd/tape/observer.hpp>
#include <wengert/ops/products/internal/onednn.hpp>
#include <wengert/ops/products/internal/onednn_kernels.hpp>

namespace wengert::onednn {
namespace {

/// How a kernel reads a matrix. The strides of a packed one are -1.
struct Form {
    std::int64_t rows, columns, row_stride, column_stride;
    Type type;

    bool is_packed() const { return row_stride < 0; }
    std::int64_t bytes() const { return rows * columns * (type == Type::bf16 ? 2 : 4); }
};

template <class T>
Form form_of(const gemm::Matrix<T>& m) {
    return {m.rows, m.columns, m.row_stride, m.column_stride, Type::f32};
}
bool runs_by_rows(const Form& m) {
    return (m.column_stride == 1 || m.columns == 1) && (m.row_stride >= m.columns || m.rows == 1);
}
Form packed(const Form& m, Type type) { return {m.rows, m.columns, -1, -1, type}; }
/// Without gaps, in bfloat16.
Form rounded(const Form& m, bool by_rows) {
    return {m.rows, m.columns, by_rows ? m.columns : 1, by_rows ? 1 : m.rows, Type::bf16};
}

dnnl::matmul::primitive_desc kernel_for(const Desc& a, const Desc& b, const Desc& c, bool accumulate) {
    dnnl::primitive_attr attributes;
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
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

/// Empty if there is no packed layout.
Desc describe(const Form& m) {
    if (!m.is_packed())
        return {{m.rows, m.columns},
                m.type,
                runs_by_rows(m) ? Dims{m.rows == 1 ? m.columns : m.row_stride, 1}
                                : Dims{1, m.columns == 1 ? m.rows : m.column_stride}};
    // The layout must not depend on how many rows the left operands have, so it is that for a usual number.
    constexpr std::int64_t usual_rows = 64;
    const Desc a({usual_rows, m.rows}, m.type, Dims{m.rows, 1}), any({m.rows, m.columns}, m.type, Tag::any),
        c({usual_rows, m.columns}, Type::f32, Dims{m.columns, 1});
    const dnnl::matmul::primitive_desc product = kernel_for(a, any, c, false);
    return is_block_gemm(product) ? product.weights_desc() : Desc();
}

/// A kernel for products of one shape, with what it takes to call it.
struct Product {
    dnnl::matmul kernel;
    dnnl::memory a, b, c, workspace;
    std::unordered_map<int, dnnl::memory> arguments;

    explicit Product(const dnnl::matmul::primitive_desc& desc)
        : kernel(desc),
          a(desc.src_desc(), engine(), nullptr),
          b(desc.weights_desc(), engine(), nullptr),
          c(desc.dst_desc(), engine(), nullptr),
          workspace(desc.scratchpad_desc(), engine(), nullptr),
          arguments{{DNNL_ARG_SRC, a}, {DNNL_ARG_WEIGHTS, b}, {DNNL_ARG_DST, c}, {DNNL_ARG_SCRATCHPAD, workspace}} {}
};

/// A kernel that rounds or packs matrices of one shape.
struct Conversion {
    std::string_view name;  // in a profile
    dnnl::memory from, to;
    dnnl::reorder kernel;

    Conversion(const Desc& source, const Desc& target, Type type)
        : name(type == Type::bf16 ? "to bfloat16" : "pack weights"),
          from(source, engine(), nullptr),
          to(target, engine(), nullptr),
          kernel(dnnl::reorder::primitive_desc(engine(), source, engine(), target)) {}
};

/// What each thread has for itself.
struct Workshop {
    dnnl::stream stream{engine()};
    Kernels<9, Conversion> conversions;
    Kernels<11, Product> products;

    /// Null if there is no layout to convert to.
    Conversion* find(const Form& from, const Form& to) {
        const Key<9> key{from.rows,
                         from.columns,
                         from.row_stride,
                         from.column_stride,
                         to.row_stride,
                         to.column_stride,
                         std::int64_t(from.type),
                         std::int64_t(to.type),
                         omp_get_max_threads()};
        return conversions.find(key, [&] {
            const Desc target = describe(to);
            return target.get_size() > 0 ? std::make_unique<Conversion>(describe(from), target, to.type) : nullptr;
        });
    }
    /// Null if there is no fast kernel.
    Product* find(const Form& a, const Form& b, const gemm::Matrix<float>& c, bool accumulate) {
        const Key<11> key{
            c.rows,          c.columns,    a.columns,  a.row_stride,         a.column_stride,      b.row_stride,
            b.column_stride, c.row_stride, accumulate, std::int64_t(a.type), omp_get_max_threads()};
        return products.find(key, [&] {
            const Desc right = describe(b);
            const auto kernel = right.get_size() > 0 ? kernel_for(describe(a), right, describe(form_of(c)), accumulate)
                                                     : dnnl::matmul::primitive_desc();
            return is_block_gemm(kernel) ? std::make_unique<Product>(kernel) : nullptr;
        });
    }
    void run(Conversion& conversion, const void* from, void* to) {
        const ObservedPart part(conversion.name);
        conversion.from.set_data_handle(const_cast<void*>(from));
        conversion.to.set_data_handle(to);
        conversion.kernel.execute(stream, conversion.from, conversion.to);
    }
    void run(Product& product, const void* a, const void* b, float* c) {
        product.a.set_data_handle(const_cast<void*>(a));
        product.b.set_data_handle(const_cast<void*>(b));
        product.c.set_data_handle(c);
        const Tensor workspace = room(product.workspace.get_desc().get_size());
        product.workspace.set_data_handle(workspace.raw());
        product.kernel.execute(stream, product.arguments);
    }
};
struct PackedMatrix final : gemm::Packed {
    explicit PackedMatrix(const Desc& d) : desc(d), elements(room(d.get_size())) {}
    std::int64_t bytes() const override { return static_cast<std::int64_t>(desc.get_size()); }

    Desc desc;
    Tensor elements;
};

/// a1 b1 + a2 b2 + ... as one product, of all a side by side and all b below one another. They are rounded on the way
/// there.
bool multiply_rounded(Workshop& shop, std::span<const gemm::Factors> products, const PackedMatrix* weight,
                      const gemm::Matrix<float>& c, bool accumulate) {
    const bool is_sum = products.size() > 1;
    Form a = form_of(products[0].a), b = form_of(products[0].b);
    for (const gemm::Factors& factors : products.subspan(1)) {
        a.columns += factors.a.columns;
        b.rows += factors.b.rows;
    }
    const Form left = rounded(a, !is_sum && runs_by_rows(a)), right = rounded(b, is_sum || runs_by_rows(b));
    // From so many rows on, packing pays for one product alone, unless it has to turn the matrix.
    constexpr std::int64_t least_rows = 1024;
    const bool packs = weight == nullptr && runs_by_rows(right) && left.rows >= least_rows;
    Product* const product = shop.find(left, weight != nullptr || packs ? packed(b, Type::bf16) : right, c, accumulate);
    if (product == nullptr || (weight != nullptr && product->b.get_desc() != weight->desc)) return false;

    const Tensor rounded_a = room(static_cast<std::size_t>(left.bytes()));
    Tensor rounded_b;
    if (weight == nullptr && (is_sum || !packs)) rounded_b = room(static_cast<std::size_t>(right.bytes()));
    auto* to_a = static_cast<std::byte*>(rounded_a.raw());
    std::byte* to_b = rounded_b.defined() ? static_cast<std::byte*>(rounded_b.raw()) : nullptr;
    for (const gemm::Factors& factors : products) {
        const Form part_a = form_of(factors.a), part_b = form_of(factors.b),
                   target_a = rounded(part_a, runs_by_rows(left)), target_b = rounded(part_b, runs_by_rows(right));
        shop.run(*shop.find(part_a, target_a), factors.a.data, to_a);
        to_a += target_a.bytes();
        if (!rounded_b.defined()) continue;
        shop.run(*shop.find(part_b, target_b), factors.b.data, to_b);
        to_b += target_b.bytes();
    }
    Tensor packed_b;
    if (packs) {
        Conversion& packing = *shop.find(is_sum ? right : form_of(products[0].b), packed(b, Type::bf16));
        packed_b = room(packing.to.get_desc().get_size());
        shop.run(packing, is_sum ? rounded_b.raw() : products[0].b.data, packed_b.raw());
    }
    const Tensor& read = weight != nullptr ? weight->elements : packs ? packed_b : rounded_b;
    shop.run(*product, rounded_a.raw(), read.raw(), c.data);
    return true;
}

}  // namespace

bool is_built() { return true; }
bool is_fast(Precision precision) {
    return dnnl::get_effective_cpu_isa() >=
           (precision == Precision::bfloat16 ? dnnl::cpu_isa::avx512_core_bf16 : dnnl::cpu_isa::avx512_core);
}

std::shared_ptr<const gemm::Packed> pack(const gemm::Matrix<const float>& b, Precision precision) try {
    Workshop* const shop = gets_its_threads() ? of_this_thread<Workshop>() : nullptr;
    if (shop == nullptr) return nullptr;
    const Form plain = form_of(b), target = packed(plain, precision == Precision::bfloat16 ? Type::bf16 : Type::f32);
    Conversion* const packing = shop->find(plain, target);
    if (packing == nullptr) return nullptr;
    auto result = std::make_shared<PackedMatrix>(packing->to.get_desc());
    shop->run(*packing, b.data, result->elements.raw());
    return result;
} catch (const dnnl::error&) {
    return nullptr;
}

bool multiply(const gemm::Factors& factors, const gemm::Packed* packed_b, const gemm::Matrix<float>& c, bool accumulate,
              Precision precision) try {
    const bool may_work = precision == Precision::float32 ? gets_its_threads_or_is_alone() : gets_its_threads();
    Workshop* const shop = may_work ? of_this_thread<Workshop>() : nullptr;
    if (shop == nullptr) return false;
    const auto* const weight = static_cast<const PackedMatrix*>(packed_b);
    if (precision == Precision::bfloat16) return multiply_rounded(*shop, {&factors, 1}, weight, c, accumulate);
    const Form a = form_of(factors.a), b = form_of(factors.b);
    Product* const product = shop->find(a, weight != nullptr ? packed(b, Type::f32) : b, c, accumulate);
    if (product == nullptr || (weight != nullptr && product->b.get_desc() != weight->desc)) return false;
    shop->run(*product, factors.a.data, weight != nullptr ? weight->elements.raw() : factors.b.data, c.data);
    return true;
} catch (const dnnl::error&) {
    return false;
}

bool multiply_sum(std::span<const gemm::Factors> products, const gemm::Matrix<float>& c, bool accumulate) try {
    Workshop* const shop = gets_its_threads() ? of_this_thread<Workshop>() : nullptr;
    return shop != nullptr && multiply_rounded(*shop, products, nullptr, c, accumulate);
} catch (const dnnl::error&) {
    return false;
}

}  // namespace wengert::onednn

#include <array>
#include <string_view>
#include <vector>
#include <wengert/ops/products/internal/onednn.hpp>
#include <wengert/ops/products/internal/onednn_kernels.hpp>

namespace wengert::onednn {
namespace {

/// A convolution, or one of its adjoints. Kernels have layouts of their own, to and from which operands are copied.
struct Convolving {
    struct Operand {
        dnnl::memory given, own;
        dnnl::reorder copy;  // undefined if the layouts are one
    };
    dnnl::primitive kernel;
    std::array<Operand, 3> operands;  // images, filters, results
    std::size_t written;
    dnnl::memory workspace;
    std::unordered_map<int, dnnl::memory> arguments;
};

/// The operands' layouts, as they are given or as a kernel likes them; groups have an axis of filters.
std::array<Desc, 3> layouts(const Convolution& c, bool are_given) {
    const auto layout = [are_given](const Dims& dims) {
        constexpr std::array<Tag, 6> tags{Tag::undef, Tag::a, Tag::ab, Tag::abc, Tag::abcd, Tag::abcde};
        return Desc(dims, Type::f32, are_given ? tags[dims.size()] : Tag::any);
    };
    return {layout({c.batch, c.groups * c.channels, c.image[0], c.image[1]}),
            c.groups == 1 ? layout({c.filters, c.channels, c.kernel[0], c.kernel[1]})
                          : layout({c.groups, c.filters, c.channels, c.kernel[0], c.kernel[1]}),
            layout({c.batch, c.groups * c.filters, c.result[0], c.result[1]})};
}

/// What oneDNN knows of the kernel; adjoints want to know the convolution's.
template <class Kernel, class... Hint>
typename Kernel::primitive_desc kernel_for(const Convolution& c, const Hint&... convolution) {
    const std::array<Desc, 3> free = layouts(c, false);
    const Dims stride(c.stride.begin(), c.stride.end()), padding(c.padding.begin(), c.padding.end()),
        dilation{c.dilation[0] - 1, c.dilation[1] - 1};
    dnnl::primitive_attr attributes;
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    const auto describe = [&](auto... kind) -> typename Kernel::primitive_desc {
        constexpr auto direct = dnnl::algorithm::convolution_direct;
#if DNNL_VERSION_MAJOR < 3
        return {typename Kernel::desc(kind..., direct, free[0], free[1], free[2], stride, dilation, padding, padding),
                attributes, engine(), convolution..., true};
#else
        return {engine(), kind..., direct,  free[0],        free[1],    free[2], stride,
                dilation, padding, padding, convolution..., attributes, true};
#endif
    };
    if constexpr (sizeof...(Hint) == 0)
        return describe(dnnl::prop_kind::forward_training);
    else
        return describe();
}

/// Null if there is no fast kernel; other kernels than these are no faster than products of matrices.
template <class Kernel>
std::unique_ptr<Convolving> make_convolving(const Convolution& c, std::size_t written, const Kernel& kernel,
                                            const std::array<int, 3>& arguments, const std::array<Desc, 3>& own) {
    const std::string_view name = kernel.impl_info_str();
    if (!name.starts_with("jit") && !name.starts_with("brg")) return nullptr;
    auto made = std::make_unique<Convolving>();
    const std::array<Desc, 3> given = layouts(c, true);
    for (std::size_t i = 0; i < 3; ++i) {
        auto& operand = made->operands[i];
        operand = {{given[i], engine(), nullptr}, {own[i], engine(), nullptr}, {}};
        if (own[i] != given[i])
            operand.copy =
                i == written ? dnnl::reorder(operand.own, operand.given) : dnnl::reorder(operand.given, operand.own);
        made->arguments[arguments[i]] = operand.own;
    }
    made->written = written;
    made->workspace = {kernel.scratchpad_desc(), engine(), nullptr};
    made->arguments[DNNL_ARG_SCRATCHPAD] = made->workspace;
    return made;
}

std::unique_ptr<Convolving> make_convolving(const Convolution& c, Adjoint adjoint) {
    const auto forward = kernel_for<dnnl::convolution_forward>(c);
    if (!forward) return nullptr;
    if (adjoint == Adjoint::none) {
        auto made = make_convolving(c, 2, forward, {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST},
                                    {forward.src_desc(), forward.weights_desc(), forward.dst_desc()});
        if (made) made->kernel = dnnl::convolution_forward(forward);
        return made;
    }
    if (adjoint == Adjoint::images) {
        const auto kernel = kernel_for<dnnl::convolution_backward_data>(c, forward);
        if (!kernel) return nullptr;
        auto made = make_convolving(c, 0, kernel, {DNNL_ARG_DIFF_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DIFF_DST},
                                    {kernel.diff_src_desc(), kernel.weights_desc(), kernel.diff_dst_desc()});
        if (made) made->kernel = dnnl::convolution_backward_data(kernel);
        return made;
    }
    const auto kernel = kernel_for<dnnl::convolution_backward_weights>(c, forward);
    if (!kernel) return nullptr;
    auto made = make_convolving(c, 1, kernel, {DNNL_ARG_SRC, DNNL_ARG_DIFF_WEIGHTS, DNNL_ARG_DIFF_DST},
                                {kernel.src_desc(), kernel.diff_weights_desc(), kernel.diff_dst_desc()});
    if (made) made->kernel = dnnl::convolution_backward_weights(kernel);
    return made;
}

/// What each thread has for itself.
struct Shop {
    dnnl::stream stream{engine()};
    Kernels<18, Convolving> kernels;

    /// Null if there is no fast kernel.
    Convolving* find(const Convolution& c, Adjoint adjoint) {
        const Key<18> key{c.batch,
                          c.groups,
                          c.channels,
                          c.filters,
                          c.image[0],
                          c.image[1],
                          c.kernel[0],
                          c.kernel[1],
                          c.result[0],
                          c.result[1],
                          c.stride[0],
                          c.stride[1],
                          c.padding[0],
                          c.padding[1],
                          c.dilation[0],
                          c.dilation[1],
                          std::int64_t(adjoint),
                          omp_get_max_threads()};
        return kernels.find(key, [&] { return make_convolving(c, adjoint); });
    }
    void run(Convolving& convolving, const std::array<const float*, 3>& data) {
        std::vector<Tensor> rooms;
        const auto take_room = [&](dnnl::memory& memory) {
            rooms.push_back(room(memory.get_desc().get_size()));
            memory.set_data_handle(rooms.back().raw());
        };
        for (std::size_t i = 0; i < 3; ++i) {
            auto& [given, own, copy] = convolving.operands[i];
            given.set_data_handle(const_cast<float*>(data[i]));
            if (copy)
                take_room(own);
            else
                own.set_data_handle(given.get_data_handle());
            if (copy && i != convolving.written) copy.execute(stream, given, own);
        }
        take_room(convolving.workspace);
        convolving.kernel.execute(stream, convolving.arguments);
        auto& [given, own, copy] = convolving.operands[convolving.written];
        if (copy) copy.execute(stream, own, given);
    }
};

}  // namespace

bool convolve(const Convolution& convolution, Adjoint adjoint, const std::array<const float*, 3>& data) try {
    Shop* const shop = gets_its_threads_or_is_alone() ? of_this_thread<Shop>() : nullptr;
    Convolving* const convolving = shop != nullptr ? shop->find(convolution, adjoint) : nullptr;
    if (convolving == nullptr) return false;
    shop->run(*convolving, data);
    return true;
} catch (const dnnl::error&) {
    return false;
}

}  // namespace wengert::onednn

#include <algorithm>
#include <atomic>
#include <list>
#include <mutex>
#include <wengert/autograd/tensor/allocator.hpp>
#include <wengert/ops/products/internal/packed_weights.hpp>

namespace wengert {
namespace {

std::atomic<std::int64_t> bytes_of_all{0};

/// A matrix that products read in a parameter, and its packed form.
struct PackedLayout {
    Shape shape, strides;
    std::int64_t offset;
    Precision precision;
    bool is_worth_it = true;
    std::shared_ptr<const gemm::Packed> packed = nullptr;

    bool is_of(const Tensor& x, Precision p) const {
        return shape == x.shape() && strides == x.strides() && offset == x.offset() && precision == p;
    }
    std::int64_t bytes() const { return packed != nullptr ? packed->bytes() : 0; }
};

/// The layouts of one parameter since it was written, the last used first.
class PackedLayouts final : public ParameterCache {
  public:
    ~PackedLayouts() override { forget_to(0); }

    std::shared_ptr<const gemm::Packed> use(const Tensor& x, Precision precision) {
        const std::lock_guard lock(mutex_);
        if (version_ != x.version()) forget_to(0);
        version_ = x.version();
        const auto known =
            std::ranges::find_if(layouts_, [&](const PackedLayout& layout) { return layout.is_of(x, precision); });
        if (known == layouts_.end()) {
            constexpr std::size_t most = 8;
            forget_to(most - 1);
            layouts_.push_front({x.shape(), x.strides(), x.offset(), precision});
            return nullptr;
        }
        layouts_.splice(layouts_.begin(), layouts_, known);
        PackedLayout& layout = layouts_.front();
        if (layout.packed == nullptr && layout.is_worth_it) {
            layout.packed = gemm::pack(
                {static_cast<const float*>(x.raw()), x.shape()[0], x.shape()[1], x.strides()[0], x.strides()[1]},
                precision);
            // What is packed takes hardly more than the parameter itself. Lengths are padded to multiples of 64, which
            // for a thin matrix can be many times its size.
            const auto bytes = static_cast<std::int64_t>(x.state()->storage->bytes);
            std::int64_t left = bytes + bytes / 4 - layout.bytes();
            layout.is_worth_it = layout.packed != nullptr && left >= 0;
            if (!layout.is_worth_it) {
                layout.packed = nullptr;
                return nullptr;
            }
            bytes_of_all += layout.bytes();
            for (auto other = std::next(layouts_.begin()); other != layouts_.end(); ++other)
                if ((left -= other->bytes()) < 0) drop(*other);
        }
        return layout.packed;
    }

  private:
    static void drop(PackedLayout& layout) {
        bytes_of_all -= layout.bytes();
        layout.packed = nullptr;
    }
    void forget_to(std::size_t count) {
        for (; layouts_.size() > count; layouts_.pop_back()) drop(layouts_.back());
    }

    std::mutex mutex_;
    std::uint32_t version_ = 0;
    std::list<PackedLayout, CachedAllocator<PackedLayout>> layouts_;
};

PackedLayouts& layouts_of(Extras& parameter) {
    static std::mutex mutex;
    const std::lock_guard lock(mutex);
    return parameter.cache<PackedLayouts>();
}

/// Null if x is no weight.
TensorState* parameter_of(const Tensor& x) {
    if (x.dtype() != Dtype::float32 || x.rank() != 2) return nullptr;
    TensorState* const parameter = x.is_parameter() ? x.state() : x.state()->origin;
    return parameter != nullptr && parameter->parameter ? parameter : nullptr;
}

}  // namespace

bool is_weight(const Tensor& x) { return parameter_of(x) != nullptr; }

std::shared_ptr<const gemm::Packed> packed_weight(const Tensor& x, Precision precision) {
    TensorState* const parameter = parameter_of(x);
    if (parameter == nullptr || !gemm::has_onednn(precision)) return nullptr;
    return layouts_of(*parameter->extras).use(x, precision);
}

std::int64_t packed_weight_bytes() { return bytes_of_all; }

}  // namespace wengert

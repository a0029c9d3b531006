#include <atomic>
#include <mutex>
#include <vector>
#include <wengert/ops/packed_weights.hpp>

namespace wengert {
namespace {

std::atomic<std::int64_t> bytes{0};
std::mutex mutex;

/// One way in which products have looked at a parameter.
struct Look {
    Shape shape, strides;
    std::int64_t offset;
    std::uint32_t version;
    bool was_used;  ///< since it was written
    std::shared_ptr<const gemm::Packed> packed = nullptr;

    bool is_of(const Tensor& x) const { return shape == x.shape() && strides == x.strides() && offset == x.offset(); }
    void drop() {
        if (packed != nullptr) bytes -= packed->bytes();
        packed = nullptr;
        was_used = false;
    }
};

class Looks final : public Derived {
  public:
    ~Looks() override {
        for (Look& look : looks_) look.drop();
    }

    std::shared_ptr<const gemm::Packed> use(const Tensor& x) {
        auto look = std::ranges::find_if(looks_, [&](const Look& l) { return l.is_of(x); });
        if (look == looks_.end()) {
            looks_.push_back({x.shape(), x.strides(), x.offset(), x.version(), true});
            return nullptr;
        }
        if (look->version != x.version()) {
            look->drop();
            look->version = x.version();
        }
        if (look->packed == nullptr && std::exchange(look->was_used, true)) {
            for (Look& other : looks_)
                if (&other != &*look && other.offset == look->offset) other.drop();
            look->packed = gemm::pack(
                {static_cast<const float*>(x.raw()), x.shape()[0], x.shape()[1], x.strides()[0], x.strides()[1]});
            if (look->packed != nullptr) bytes += look->packed->bytes();
        }
        return look->packed;
    }

  private:
    std::vector<Look> looks_;
};

}  // namespace

std::shared_ptr<const gemm::Packed> packed_weight(const Tensor& x) {
    if (x.dtype() != Dtype::float32 || x.rank() != 2 || !gemm::can_pack()) return nullptr;
    TensorState* const parameter = x.is_parameter() ? x.state() : x.state()->origin;
    if (parameter == nullptr || !parameter->parameter) return nullptr;
    const std::lock_guard lock(mutex);
    std::unique_ptr<Derived>& looks = parameter->extras->derived;
    if (looks == nullptr) looks = std::make_unique<Looks>();
    return static_cast<Looks&>(*looks).use(x);
}

std::int64_t packed_weight_bytes() { return bytes; }

}  // namespace wengert

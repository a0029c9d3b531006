#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <new>
#include <ostream>
#include <wengert/autograd/tensor/allocator.hpp>
#include <wengert/autograd/tensor/internal/uncounted.hpp>
#include <wengert/autograd/tensor/internal/undefined_error.hpp>
#include <wengert/autograd/tensor/memory_limit.hpp>
#include <wengert/autograd/tensor/tensor.hpp>

namespace wengert {

static_assert((sizeof(TensorState) + sizeof(Storage)) % 64 == 0, "elements stand at multiples of 64 bytes");

namespace {

/// What f throws leaves with a function's name; there is no op whose line it could have.
template <class F>
Tensor named(std::string_view function, const F& f) {
    try {
        return f();
    } catch (Error& error) {
        error.locate(function, {}, {});
        throw;
    }
}

double in_mib(std::size_t bytes) { return static_cast<double>(bytes) / (1 << 20); }

}  // namespace

Tensor Tensor::empty(const Shape& shape, Dtype dtype) try {
    for (const std::int64_t d : shape)
        if (d < 0) throw ShapeError("a length is negative: " + to_string(shape));
    require_countable(shape);
    const std::size_t bytes = static_cast<std::size_t>(shape.numel()) * size_of(dtype);
    auto* const block = static_cast<std::byte*>(allocate(sizeof(TensorState) + sizeof(Storage) + bytes));
    auto* const storage = new (block + sizeof(TensorState)) Storage{.bytes = bytes};
    return Tensor(new (block) TensorState{
        .storage = storage, .dtype = dtype, .shape = shape, .strides = contiguous_strides(shape)});
} catch (const std::bad_alloc&) {
    std::string text = fmt::format("there is no memory for a tensor {} of {}", to_string(shape), to_string(dtype));
    if (memory_limit() > 0)
        text += fmt::format(": {:.1f} MiB of the limit of {:.1f} MiB are taken", in_mib(system_bytes()),
                            in_mib(memory_limit()));
    throw OutOfMemoryError(std::move(text));
}

void Tensor::destroy() noexcept {
    const Tensor origin(state_->origin);  // gives the reference back
    Storage* const storage = state_->storage;
    TensorState* const block = reinterpret_cast<TensorState*>(storage) - 1;
    state_->~TensorState();
    if (state_ != block) deallocate(state_, sizeof(TensorState));
    if (drop_reference(storage->references)) deallocate(block, sizeof(TensorState) + sizeof(Storage) + storage->bytes);
}

namespace {

/// Throws unless all elements of a view, counted in elements of the storage, are among the first `count`.
void require_inside(const Shape& shape, const Shape& strides, std::int64_t offset, std::int64_t count) {
    std::int64_t first = offset, last = offset;
    bool fits = shape.rank() == strides.rank();
    // Whoever walks a view multiplies these, also where there is no element.
    for (int axis = 0; fits && axis < shape.rank(); ++axis) {
        std::int64_t product = 0;
        fits = !__builtin_mul_overflow(shape[axis], strides[axis], &product);
    }
    for (int axis = 0; fits && axis < shape.rank(); ++axis) {
        if (shape[axis] == 0) return;
        std::int64_t reach = 0;
        std::int64_t& end = strides[axis] < 0 ? first : last;
        fits = shape[axis] > 0 && !__builtin_mul_overflow(shape[axis] - 1, strides[axis], &reach) &&
               !__builtin_add_overflow(end, reach, &end);
    }
    if (!fits || first < 0 || last >= count)
        throw ShapeError(fmt::format("view: a view {} with strides {} from element {} does not fit {} elements",
                                     to_string(shape), to_string(strides), offset, count));
}

}  // namespace

Tensor Tensor::view(const Shape& shape, const Shape& strides, std::int64_t offset) const {
    TensorState& from = get();
    require_countable(shape);
    require_inside(shape, strides, offset, static_cast<std::int64_t>(from.storage->bytes / size_of(from.dtype)));
    auto* const state = new (allocate(sizeof(TensorState)))
        TensorState{.storage = from.storage,
                    .offset = offset,
                    .origin = from.origin == nullptr && from.extras != nullptr ? &from : from.origin,
                    .dtype = from.dtype,
                    .shape = shape,
                    .strides = strides};
    state->storage->references.fetch_add(1, std::memory_order_relaxed);
    if (state->origin != nullptr) state->origin->references.fetch_add(1, std::memory_order_relaxed);
    return Tensor(state);
}

bool Tensor::is_contiguous() const {
    const TensorState& state = get();
    std::int64_t stride = 1;
    for (int i = state.shape.rank() - 1; i >= 0; --i) {
        if (state.shape[i] == 0) return true;
        if (state.shape[i] != 1 && state.strides[i] != stride) return false;
        stride *= state.shape[i];
    }
    return true;
}

void refuse_number(double number, Dtype dtype) {
    throw ValueError(fmt::format("{} is no {}", number, to_string(dtype)));
}
void refuse_number(std::int64_t number, Dtype dtype) {
    throw ValueError(fmt::format("{} is no {}", number, to_string(dtype)));
}
void refuse_dtype(Dtype dtype, std::string_view name) {
    throw DtypeError(fmt::format(
        "{} is {}{}", name, to_string(dtype),
        is_stored_only(dtype) ? ", which is stored only: cast() it first" : "; float32 or float64 is needed"));
}
void require_floating(const Tensor& x, std::string_view name) {
    if (!is_floating(x.dtype())) refuse_dtype(x.dtype(), name);
}

void Tensor::throw_undefined() { throw UndefinedError("an undefined tensor was used (a default-constructed handle)"); }

void Tensor::throw_dtype(Dtype wanted) const {
    throw DtypeError(fmt::format("a tensor of {} was read as {}", to_string(dtype()), to_string(wanted)));
}

namespace {

constexpr ConstantCause copied{
    "clone(), copy_from() or cast() made a copy of what it was computed from, and no tape follows these; "
    "the ops convert() and reshape() are followed",
    false, 3};

}  // namespace

Tensor Tensor::clone() const {
    Tensor copy = empty(shape(), dtype());
    uncounted::write(*this, {copy});
    if (is_parameter()) copy.set_parameter();
    if (state_->extras != nullptr) copy.set_name(state_->extras->name);
    if (state_->recording != 0) copy.state_->constant_cause = &copied;
    return copy;
}

void Tensor::copy_from(const Tensor& source) {
    if (source.shape() != shape())
        throw ShapeError(
            fmt::format("copy_from: shapes differ: {} from {}", to_string(shape()), to_string(source.shape())));
    count_write();
    uncounted::write(source.shares_storage(*this) ? source.clone() : source, {*this});
    if (source.get().recording != 0) state_->constant_cause = &copied;
}

void Tensor::fill(double value) {
    count_write();
    uncounted::fill(*this, value);
}

void Tensor::forget_recording() {
    static constexpr ConstantCause overwritten{"it was overwritten after it was computed", false, 2};
    state_->recording = 0;
    state_->constant_cause = &overwritten;
}

Tensor& Tensor::set_parameter(bool parameter) {
    if (!is_floating(dtype()))
        throw DtypeError(fmt::format("a parameter must be of float32 or float64, not {}", to_string(dtype())));
    get().parameter = parameter;
    if (state_->extras == nullptr) state_->extras = std::make_unique<Extras>();
    return *this;
}

Tensor& Tensor::set_name(std::string name) {
    if (get().extras == nullptr) state_->extras = std::make_unique<Extras>();
    state_->extras->name = std::move(name);
    return *this;
}

const std::string& Tensor::name() const {
    static const std::string none;
    if (get().extras != nullptr && !state_->extras->name.empty()) return state_->extras->name;
    return state_->origin != nullptr ? state_->origin->extras->name : none;
}

template <class T>
std::vector<T> Tensor::to_vector() const {
    std::vector<T> values(static_cast<std::size_t>(numel()));
    Tensor copy = is_contiguous() && dtype() == dtype_of<T> ? *this : empty(shape(), dtype_of<T>);
    if (!copy.same_as(*this)) uncounted::write(*this, {copy});
    std::copy_n(copy.data<T>(), values.size(), values.begin());
    return values;
}
template std::vector<float> Tensor::to_vector() const;
template std::vector<double> Tensor::to_vector() const;
template std::vector<std::int64_t> Tensor::to_vector() const;
template std::vector<std::int32_t> Tensor::to_vector() const;
template std::vector<bool> Tensor::to_vector() const;
template std::vector<Float16> Tensor::to_vector() const;
template std::vector<Bfloat16> Tensor::to_vector() const;

template <class T>
T Tensor::at(std::initializer_list<std::int64_t> index) const {
    if (static_cast<int>(index.size()) != rank())
        throw ShapeError(fmt::format("at: {} indices for {}", index.size(), to_string(shape())));
    std::int64_t offset = 0;
    int axis = 0;
    for (const std::int64_t i : index) {
        if (i < 0 || i >= shape()[axis])
            throw ShapeError(fmt::format("at: index {} is outside axis {} of {}", i, axis, to_string(shape())));
        offset += i * strides()[axis++];
    }
    return visit_stored(dtype(), [&](auto type) { return convert<T>(static_cast<decltype(type)*>(raw())[offset]); });
}
template float Tensor::at(std::initializer_list<std::int64_t>) const;
template double Tensor::at(std::initializer_list<std::int64_t>) const;
template std::int64_t Tensor::at(std::initializer_list<std::int64_t>) const;
template std::int32_t Tensor::at(std::initializer_list<std::int64_t>) const;
template bool Tensor::at(std::initializer_list<std::int64_t>) const;

template <class T>
T Tensor::item() const {
    if (numel() != 1) throw ShapeError(fmt::format("item: {} has {} elements, not one", to_string(shape()), numel()));
    return visit_stored(dtype(), [&](auto type) { return convert<T>(*static_cast<decltype(type)*>(raw())); });
}
template float Tensor::item() const;
template double Tensor::item() const;
template std::int64_t Tensor::item() const;
template std::int32_t Tensor::item() const;
template bool Tensor::item() const;

Tensor full(const Shape& shape, double value, Dtype dtype) {
    Tensor result = Tensor::empty(shape, dtype);
    uncounted::fill(result, value);
    return result;
}
Tensor zeros(const Shape& shape, Dtype dtype) { return full(shape, 0, dtype); }
Tensor ones(const Shape& shape, Dtype dtype) { return full(shape, 1, dtype); }
Tensor scalar(double value, Dtype dtype) { return full({}, value, dtype); }

Tensor arange(std::int64_t n, Dtype dtype) {
    return named("arange", [&] {
        if (dtype == Dtype::boolean || is_stored_only(dtype))
            throw DtypeError(fmt::format("counting numbers are no {}", to_string(dtype)));
        Tensor result = Tensor::empty({n}, dtype);
        visit_dtype(dtype, [&](auto type) {
            auto* out = static_cast<decltype(type)*>(result.raw());
            for (std::int64_t i = 0; i < n; ++i) out[i] = convert<decltype(type)>(i);
        });
        return result;
    });
}

Tensor eye(std::int64_t n, Dtype dtype) {
    return named("eye", [&] {
        Tensor result = zeros({n, n}, dtype);
        uncounted::fill(result.view({n}, {n + 1}, result.offset()), 1);
        return result;
    });
}

Tensor linspace(double first, double last, std::int64_t n, Dtype dtype) {
    return named("linspace", [&] {
        if (n < 0 || !std::isfinite(first) || !std::isfinite(last))
            throw ValueError(fmt::format("{} numbers from {} to {}", n, first, last));
        if (!is_floating(dtype))
            throw DtypeError(
                fmt::format("numbers at equal distances are float32 or float64, not {}", to_string(dtype)));
        Tensor result = Tensor::empty({n}, dtype);
        visit_floating(dtype, [&](auto type) {
            using T = decltype(type);
            T* const out = static_cast<T*>(result.raw());
            for (std::int64_t i = 0; i < n; ++i) {
                // By shares, so that both ends are exact and no difference overflows.
                const double share = n == 1 ? 0 : static_cast<double>(i) / static_cast<double>(n - 1);
                out[i] = static_cast<T>(first * (1 - share) + last * share);
            }
        });
        return result;
    });
}

template <class T>
Tensor tensor(std::span<const T> values, const Shape& shape) {
    require_countable(shape);
    if (static_cast<std::int64_t>(values.size()) != shape.numel())
        throw ShapeError(fmt::format("tensor: {} values for shape {}", values.size(), to_string(shape)));
    Tensor result = Tensor::empty(shape, dtype_of<T>);
    std::copy(values.begin(), values.end(), static_cast<T*>(result.raw()));
    return result;
}
template WENGERT_EXPORT Tensor tensor(std::span<const float>, const Shape&);
template WENGERT_EXPORT Tensor tensor(std::span<const double>, const Shape&);
template WENGERT_EXPORT Tensor tensor(std::span<const std::int64_t>, const Shape&);
template WENGERT_EXPORT Tensor tensor(std::span<const std::int32_t>, const Shape&);
template WENGERT_EXPORT Tensor tensor(std::span<const bool>, const Shape&);
template WENGERT_EXPORT Tensor tensor(std::span<const Float16>, const Shape&);
template WENGERT_EXPORT Tensor tensor(std::span<const Bfloat16>, const Shape&);

Tensor tensor(const std::vector<bool>& values, const Shape& shape) {
    const std::unique_ptr<bool[]> bytes = std::make_unique<bool[]>(values.size());
    std::ranges::copy(values, bytes.get());
    return tensor(std::span<const bool>(bytes.get(), values.size()), shape);
}

Tensor tensor(std::initializer_list<double> values, const Shape& shape, Dtype dtype) {
    return cast(tensor(std::span<const double>(values.begin(), values.size()), shape), dtype);
}

Tensor cast(const Tensor& x, Dtype dtype) {
    if (x.dtype() == dtype) return x;
    Tensor result = Tensor::empty(x.shape(), dtype);
    uncounted::write(x, {result});
    result.state()->constant_cause = x.state()->recording != 0 ? &copied : x.state()->constant_cause;
    return result;
}

Tensor as_int64(const Tensor& x) {
    if (!x.defined() || x.dtype() != Dtype::int32) return x;
    Tensor wide = cast(x, Dtype::int64);
    if (!x.name().empty()) wide.set_name(x.name());
    return wide;
}

namespace {

constexpr std::int64_t shown_at_each_end = 3;

void print_elements(std::string& text, const Tensor& x, int axis, std::int64_t offset) {
    if (axis == x.rank()) {
        visit_stored(x.dtype(), [&](auto type) {
            const auto value = static_cast<const decltype(type)*>(x.raw())[offset];
            if constexpr (std::is_integral_v<decltype(type)>)
                text += fmt::format("{}", value);
            else
                text += std::isnan(convert<double>(value)) ? "nan" : fmt::format("{:.6g}", convert<double>(value));
        });
        return;
    }
    text += '[';
    const std::int64_t n = x.shape()[axis];
    for (std::int64_t i = 0; i < n; ++i) {
        if (i > 0) text += axis + 1 == x.rank() ? ", " : ",\n" + std::string(static_cast<std::size_t>(axis) + 1, ' ');
        if (n > 2 * shown_at_each_end + 1 && i == shown_at_each_end) {
            text += "...";
            i = n - shown_at_each_end - 1;
            continue;
        }
        print_elements(text, x, axis + 1, offset + i * x.strides()[axis]);
    }
    text += ']';
}

}  // namespace

std::string to_string(const Tensor& x) {
    if (!x.defined()) return "undefined tensor";
    std::string text;
    print_elements(text, x, 0, 0);
    return fmt::format("{} {} {}", text, to_string(x.shape()), to_string(x.dtype()));
}

std::ostream& operator<<(std::ostream& stream, const Tensor& x) { return stream << to_string(x); }

}  // namespace wengert

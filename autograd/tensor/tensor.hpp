#pragma once

#include <atomic>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <iosfwd>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>
#include <wengert/autograd/tensor/dtype.hpp>
#include <wengert/autograd/tensor/error.hpp>
#include <wengert/autograd/tensor/shape.hpp>

namespace WENGERT_EXPORT wengert {

/// A position on a tape.
using NodeId = std::int32_t;
/// The id of a value that no tape follows.
inline constexpr NodeId no_node = -1;

/// Gives one reference back; whether it was the last. Nobody can copy the only one meanwhile, so that it need not be
/// counted down.
inline bool drop_reference(std::atomic<std::uint32_t>& references) {
    return references.load(std::memory_order_acquire) == 1 || references.fetch_sub(1, std::memory_order_acq_rel) == 1;
}

/// The header of a reference-counted block of elements, which stand right behind it at a multiple of 64 bytes. Before
/// it stands the state of the tensor that the block was made for, so that a new tensor is one allocation.
struct Storage {
    std::atomic<std::uint32_t> references{1};  ///< of tensors that show the block
    std::uint32_t version = 0;  ///< counts writes, so that backward can tell that a saved tensor was overwritten
    std::size_t bytes = 0;      ///< of the elements, without this header

    /// The first element.
    std::byte* data() { return reinterpret_cast<std::byte*>(this + 1); }
};

/// What a part of the library keeps with a parameter because it follows from the elements, such as another layout of
/// them.
class ParameterCache {
  public:
    virtual ~ParameterCache() = default;
};

/// What only some tensors have: those with a name, and parameters.
struct Extras {
    std::string name;                                     ///< for errors, pictures and files; empty for none
    std::vector<std::unique_ptr<ParameterCache>> caches;  ///< one of each type

    /// The cache of this type, made at the first call. One thread at a time.
    template <class Type>
    Type& cache() {
        for (const std::unique_ptr<ParameterCache>& known : caches)
            if (auto* const cache = dynamic_cast<Type*>(known.get())) return *cache;
        return static_cast<Type&>(*caches.emplace_back(std::make_unique<Type>()));
    }
};

/// Why no tape follows a value, for the error that says so.
struct ConstantCause {
    std::string_view text;  ///< a sentence, or the name of an op without derivative
    bool is_op = false;     ///< whether `text` is an op's name
    int weight = 0;         ///< of several operands' causes the result has the one of the greatest weight
};

/// What the handles of one tensor share. A long tape's have left the processor's cache when backward comes to them, so
/// all but the shape and the strides stands first, in one cache line.
struct TensorState {
    std::atomic<std::uint32_t> references{1};       ///< of handles
    NodeId node = no_node;                          ///< the node that made this value ...
    std::uint64_t recording = 0;                    ///< ... and the recording it belongs to; 0 for none
    Storage* storage = nullptr;                     ///< the block that the tensor shows
    std::int64_t offset = 0;                        ///< of the first element in the storage, in elements
    const ConstantCause* constant_cause = nullptr;  ///< of what an op computed and no tape follows, if it is known
    std::unique_ptr<Extras> extras = {};            ///< null for most tensors
    TensorState* origin = nullptr;                  ///< of a view: the tensor with extras that it shows
    Dtype dtype = Dtype::float32;                   ///< of all elements
    bool parameter = false;                         ///< whether every live tape follows it without being told
    std::uint32_t recorded_version = 0;             ///< the storage's when the node was made
    Shape shape, strides;                           ///< lengths, and steps in elements
};

/// A position along an axis, with the line where somebody wrote it.
struct Position {
    std::int64_t value;  ///< negative ones count from the end
    SourceLine where;    ///< the caller's line

    /// Made by conversion from an integer, at the call.
    template <std::integral T>
    requires(!std::same_as<T, bool>) Position(T at, const SourceLine& line = std::source_location::current())
        : value(std::in_range<std::int64_t>(at) ? static_cast<std::int64_t>(at)
                                                : std::numeric_limits<std::int64_t>::max()),
          where(line) {}
};

// The SOVERSION is part of the name of whatever takes a tensor: a program and a library of other ones do not link.
inline namespace abi_0 {

/// A strided array of elements of one Dtype.
///
/// A Tensor is a handle: copies refer to the same tensor (clone() copies the elements), and views (slices, transposes,
/// reshapes) share its storage. A default-constructed handle refers to nothing; whoever asks it for anything but
/// defined() gets a ValueError.
class Tensor {
  public:
    Tensor() = default;
    /// Another handle of the same tensor.
    Tensor(const Tensor& other) noexcept : state_(other.state_) {
        if (state_ != nullptr) state_->references.fetch_add(1, std::memory_order_relaxed);
    }
    /// Takes the handle over; the other is undefined then.
    Tensor(Tensor&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
    /// Refers to another tensor; elements are not copied.
    Tensor& operator=(Tensor other) & noexcept {  // x[i] = y would change a handle that goes

        std::swap(state_, other.state_);
        return *this;
    }
    ~Tensor() {
        if (state_ != nullptr && drop_reference(state_->references)) destroy();
    }

    /// A new contiguous tensor whose elements are not set. Throws ShapeError for a negative length and for more
    /// elements than can be counted, OutOfMemoryError if there is no memory for them. So does whatever makes a tensor.
    static Tensor empty(const Shape& shape, Dtype dtype = Dtype::float32);

    /// Whether the handle refers to a tensor.
    bool defined() const { return state_ != nullptr; }
    /// The length of each axis.
    const Shape& shape() const { return get().shape; }
    /// From an element to the next one of each axis, in elements; 0 where elements repeat.
    const Shape& strides() const { return get().strides; }
    /// The length of an axis; a negative one counts from the end. Throws ShapeError for one that there is not.
    std::int64_t dim(int axis) const { return shape()[normalize_axis(axis, rank())]; }
    /// The number of axes.
    int rank() const { return get().shape.rank(); }
    /// The number of elements.
    std::int64_t numel() const { return get().shape.numel(); }
    /// The type of the elements.
    Dtype dtype() const { return get().dtype; }
    /// Whether the elements stand side by side in row-major order.
    bool is_contiguous() const;

    /// The elements, to read. Throws DtypeError if T is not the tensor's element type. Elements stand at strides().
    template <class T>
    const T* data() const {
        require_dtype(dtype_of<T>);
        return static_cast<const T*>(raw());
    }
    /// The elements, to write. Counts as a write: a backward pass that needs the old elements will say so, and products
    /// see the new ones. The tape does not see it: what an op had computed here is a constant from now on. Ask again
    /// before the next write. Throws DtypeError as data() does.
    template <class T>
    T* mutable_data() {
        require_dtype(dtype_of<T>);
        count_write();
        return static_cast<T*>(raw());
    }
    /// The first element without a check of its type. Only an op's forward() may write there, into its destination: it
    /// does not count as a write.
    void* raw() const { return get().storage->data() + get().offset * static_cast<std::int64_t>(size_of(dtype())); }

    /// The only element, as T: float, double, std::int64_t, std::int32_t or bool. Throws ShapeError if there are more
    /// or fewer, ValueError if T cannot hold it, as cast() has it.
    template <class T = double>
    T item() const;
    /// The element at an index: t.at({2, 0}). Throws ShapeError for an index that there is not, a negative one too,
    /// ValueError if T cannot hold the element.
    template <class T = double>
    T at(std::initializer_list<std::int64_t> index) const;
    /// All elements in row-major order, converted to T. Throws ValueError for one that T cannot hold.
    template <class T>
    std::vector<T> to_vector() const;

    /// A deep copy, contiguous, not on any tape; name and parameter mark are kept.
    Tensor clone() const;
    /// x[i] is select(x, 0, i) of ops/shape/views.hpp: a view, through which gradients pass. A template, so that the op
    /// is looked for where somebody writes x[i].
    template <class T = Tensor>
    T operator[](const Position& i) const {
        return select(static_cast<const T&>(*this), i);
    }
    /// Overwrites the elements with those of `source` (same shape; converted if the element types differ). A write as
    /// by mutable_data(): what an op had computed here is a constant from now on. Views of a recorded tensor are no
    /// constants after a write to it, nor is it after one to a view: an op that gets them throws TapeError. copy_from()
    /// throws ShapeError for another shape, ValueError for an element that this dtype cannot hold.
    void copy_from(const Tensor& source);
    /// The same with one number. Throws ValueError for one that the dtype cannot hold.
    void fill(double value);

    /// Marks a leaf that every live tape follows without being told: a model's parameter. Throws DtypeError unless it
    /// is float32 or float64.
    Tensor& set_parameter(bool parameter = true);
    /// Whether every live tape follows it without being told.
    bool is_parameter() const { return get().parameter; }
    /// A name for errors, pictures and files. A view without one goes by that of the tensor it shows.
    Tensor& set_name(std::string name);
    /// Empty if it has none.
    const std::string& name() const;

    /// The same elements under another shape and other strides (in elements), not recorded: what view ops are made of.
    /// Throws ShapeError if elements would be outside of the storage.
    Tensor view(const Shape& shape, const Shape& strides, std::int64_t offset) const;
    /// The same elements as a value that no tape follows.
    Tensor detached() const { return view(shape(), strides(), get().offset); }

    /// How often the storage has been written, by whatever handle.
    std::uint32_t version() const { return get().storage->version; }
    /// Of the first element in the storage, in elements.
    std::int64_t offset() const { return get().offset; }
    /// Whether this handle is the only one to its tensor and its storage, so that the elements may be reused.
    bool is_unique() const {
        return get().references.load(std::memory_order_acquire) == 1 &&
               state_->storage->references.load(std::memory_order_acquire) == 1;
    }
    /// Whether both are handles of one tensor.
    bool same_as(const Tensor& other) const { return state_ == other.state_; }
    /// Whether a write to one may change the other.
    bool shares_storage(const Tensor& other) const { return get().storage == other.get().storage; }
    /// What the engine knows of the tensor; null if it is undefined.
    TensorState* state() const { return state_; }

  private:
    explicit Tensor(TensorState* state) : state_(state) {}
    TensorState& get() const {
        if (state_ == nullptr) throw_undefined();
        return *state_;
    }
    void require_dtype(Dtype dtype) const {
        if (get().dtype != dtype) throw_dtype(dtype);
    }
    void count_write() {
        ++get().storage->version;
        if (state_->recording != 0) forget_recording();
    }
    void forget_recording();
    [[noreturn]] static void throw_undefined();
    [[noreturn]] void throw_dtype(Dtype wanted) const;
    void destroy() noexcept;

    TensorState* state_ = nullptr;
};

}  // namespace abi_0

/// Tensors of one value, of counting numbers, and of given values; `dtype` as in NumPy's functions of these names.
/// full() throws ValueError for a number that the dtype cannot hold.
Tensor full(const Shape& shape, double value, Dtype dtype = Dtype::float32);
/// The same with 0.
Tensor zeros(const Shape& shape, Dtype dtype = Dtype::float32);
/// The same with 1.
Tensor ones(const Shape& shape, Dtype dtype = Dtype::float32);
/// arange() throws DtypeError for bool and for dtypes that are stored only, ValueError for numbers that an int32 cannot
/// hold.
Tensor arange(std::int64_t n, Dtype dtype = Dtype::int64);
/// The identity matrix [n, n]. Throws ShapeError for n < 0.
Tensor eye(std::int64_t n, Dtype dtype = Dtype::float32);
/// n numbers from `first` to `last`, both among them, at equal distances. Throws ValueError for n < 0 or ends that are
/// not finite, DtypeError for a dtype that is not float32 or float64.
Tensor linspace(double first, double last, std::int64_t n, Dtype dtype = Dtype::float32);
/// `values` in row-major order. Throws ShapeError unless there are as many as `shape` has elements.
template <class T>
Tensor tensor(std::span<const T> values, const Shape& shape);
template <class T>
Tensor tensor(const std::vector<T>& values, const Shape& shape) {
    return tensor(std::span<const T>(values), shape);
}
Tensor tensor(const std::vector<bool>& values, const Shape& shape);
/// The same as a vector [n].
template <class T>
Tensor tensor(const std::vector<T>& values) {
    return tensor(values, Shape{static_cast<std::int64_t>(values.size())});
}
/// A vector [n], or, with a shape, any tensor, of `dtype`: tensor({1, 2, 3, 4}, {2, 2}); of bool if all values are.
/// Throws what the above and cast() throw.
Tensor tensor(std::initializer_list<double> values, const Shape& shape, Dtype dtype = Dtype::float32);
inline Tensor tensor(std::initializer_list<double> values) {
    return tensor(values, Shape{static_cast<std::int64_t>(values.size())});
}
/// Only of what is a Dtype by name: the {} of tensor({1}, {}) is the shape of a scalar.
template <std::same_as<Dtype> D>
Tensor tensor(std::initializer_list<double> values, D dtype) {
    return tensor(values, Shape{static_cast<std::int64_t>(values.size())}, dtype);
}
template <std::same_as<bool> Bool>
Tensor tensor(std::initializer_list<Bool> values, const Shape& shape) {
    return tensor(std::span<const bool>(values.begin(), values.size()), shape);
}
template <std::same_as<bool> Bool>
Tensor tensor(std::initializer_list<Bool> values) {
    return tensor(values, Shape{static_cast<std::int64_t>(values.size())});
}
/// One number, of shape []. Throws ValueError for one that the dtype cannot hold.
Tensor scalar(double value, Dtype dtype = Dtype::float32);

/// The same elements converted to `dtype`, as a value that no tape follows; `x` itself if it has that type already.
/// Floats are rounded to the nearest, of two to the even one. Only whole numbers become int64 or int32: ValueError for
/// any other, for NaN and for what is out of range. All but 0 become true, NaN too.
Tensor cast(const Tensor& x, Dtype dtype);

/// x as int64 if it is int32, else x itself: for what takes ids, positions and lengths of both.
Tensor as_int64(const Tensor& x);

/// Throws DtypeError unless x is float32 or float64; `name` is the caller's word for it.
void require_floating(const Tensor& x, std::string_view name = "the operand");

/// The elements in brackets, long axes shortened, then shape and dtype.
std::string to_string(const Tensor& x);
/// Prints what to_string() says.
std::ostream& operator<<(std::ostream& stream, const Tensor& x);

}  // namespace wengert

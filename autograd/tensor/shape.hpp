#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <wengert/autograd/tensor/export.hpp>

namespace WENGERT_EXPORT wengert {

/// The lengths of a tensor's axes, or its strides in elements: up to `max_rank` numbers, held without allocation.
class Shape {
  public:
    static constexpr int max_rank = 6;  ///< the most axes that a tensor may have

    Shape() {}  // unlike "= default" it never sets the lengths that there are not
    /// A copy of the lengths that there are.
    Shape(const Shape& other) { *this = other; }
    /// From lengths: {2, 3}. Throws ShapeError for more than max_rank of them.
    Shape(std::initializer_list<std::int64_t> dims) : Shape(std::span(dims.begin(), dims.size())) {}
    /// Throws ShapeError if there are more than max_rank axes.
    explicit Shape(std::span<const std::int64_t> dims);

    /// Copies number by number: a copy of the whole object by wide loads would wait until the numbers, which are mostly
    /// just written, have left the processor's store buffer.
    Shape& operator=(const Shape& other) {
        rank_ = other.rank_;
        for (int i = 0; i < max_rank && i < other.rank_; ++i) dims_[i] = other.dims_[i];
        return *this;
    }

    /// The number of axes.
    int rank() const { return rank_; }
    /// Whether there is no axis, as in the shape of a scalar.
    bool empty() const { return rank_ == 0; }
    /// Throws ShapeError unless 0 <= axis < rank. So do all members that take an axis.
    std::int64_t operator[](int axis) const {
        require_axis(axis);
        return dims_[axis];
    }
    std::int64_t& operator[](int axis) {
        require_axis(axis);
        return dims_[axis];
    }
    /// The last length. Throws ShapeError if there is none.
    std::int64_t back() const { return (*this)[rank_ - 1]; }
    /// The lengths, to read.
    const std::int64_t* begin() const { return dims_.data(); }
    /// Behind the last length.
    const std::int64_t* end() const { return dims_.data() + rank_; }
    /// The lengths, to write.
    std::int64_t* begin() { return dims_.data(); }
    /// Behind the last length.
    std::int64_t* end() { return dims_.data() + rank_; }

    // GCC 12 does not see that the lengths up to the rank are set.
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 13
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
    /// The product of all lengths; 1 for a scalar.
    std::int64_t numel() const {
        std::int64_t n = 1;
        for (const std::int64_t d : *this) n *= d;
        return n;
    }
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 13
#pragma GCC diagnostic pop
#endif

    /// Adds an axis at the end. Throws ShapeError if there are max_rank already.
    void push_back(std::int64_t dim);
    /// Adds an axis before `axis`, or at the end if that is rank(). Throws ShapeError for another axis, and if there
    /// are max_rank already.
    void insert(int axis, std::int64_t dim);
    /// Takes an axis away.
    void erase(int axis);

    friend bool operator==(const Shape& a, const Shape& b) {
        if (a.rank_ != b.rank_) return false;
        for (int i = 0; i < a.rank_; ++i)
            if (a.dims_[i] != b.dims_[i]) return false;
        return true;
    }

  private:
    void require_axis(int axis) const {
        if (static_cast<unsigned>(axis) >= static_cast<unsigned>(rank_)) [[unlikely]]
            throw_axis(axis);
    }
    [[noreturn]] void throw_axis(int axis) const;

    std::array<std::int64_t, max_rank> dims_;
    int rank_ = 0;
};

/// "[64, 103]"
std::string to_string(const Shape& shape);

/// Throws ShapeError if the elements of a tensor, or of one with its empty axes of length 1, are more than 2^59, whose
/// bytes could not be counted.
void require_countable(const Shape& shape);

/// Row-major strides, in elements.
Shape contiguous_strides(const Shape& shape);

/// The index of the element with this number in row-major order: unravel(5, {2, 3}) is [1, 2].
Shape unravel(std::int64_t number, const Shape& shape);

/// NumPy's broadcasting: axes are aligned at the right, a length of 1 stretches.  Throws ShapeError naming both shapes.
Shape broadcast(const Shape& a, const Shape& b);

/// Whether broadcasting can stretch `shape` to `to`.
bool stretches_to(const Shape& shape, const Shape& to);

/// `axis` counted from the front (-1 is the last).  Throws ShapeError unless -rank <= axis < rank.
int normalize_axis(int axis, int rank);
/// The same of an axis that a result of `rank` axes will have.
int normalize_new_axis(int axis, int rank);

}  // namespace wengert

#pragma once

#include <utility>
#include <vector>

#include "ops/brute_force.hpp"

/// Matrices in long double, and what schoolbook loops make of them.
namespace brute_force {

class Matrix {
  public:
    Matrix(std::int64_t m, std::int64_t n) : m_(m), n_(n), elements_(static_cast<std::size_t>(m * n)) {}
    std::int64_t rows() const { return m_; }
    std::int64_t columns() const { return n_; }
    long double& operator()(std::int64_t i, std::int64_t j) { return elements_[static_cast<std::size_t>(i * n_ + j)]; }
    long double operator()(std::int64_t i, std::int64_t j) const {
        return elements_[static_cast<std::size_t>(i * n_ + j)];
    }

  private:
    std::int64_t m_, n_;
    std::vector<long double> elements_;
};

/// The matrices of a batch x [.., m, n], stretched to the batch of a tensor of shape `like` [.., any, any].
inline std::vector<Matrix> matrices_of(const Tensor& x, const Shape& like) {
    std::vector<Matrix> result;
    Shape batch = like;
    batch[batch.rank() - 1] = batch[batch.rank() - 2] = 1;
    for_each_index(batch, [&](Shape at) {
        Matrix m(x.dim(-2), x.dim(-1));
        for (std::int64_t i = 0; i < m.rows(); ++i)
            for (std::int64_t j = 0; j < m.columns(); ++j) {
                at[at.rank() - 2] = i;
                at[at.rank() - 1] = j;
                m(i, j) = element(x, at);
            }
        result.push_back(m);
    });
    return result;
}
inline std::vector<Matrix> matrices_of(const Tensor& x) { return matrices_of(x, x.shape()); }

template <class F>
Matrix matrix_of(std::int64_t m, std::int64_t n, const F& f) {
    Matrix result(m, n);
    for (std::int64_t i = 0; i < m; ++i)
        for (std::int64_t j = 0; j < n; ++j) result(i, j) = f(i, j);
    return result;
}
inline Matrix unit(std::int64_t n) {
    return matrix_of(n, n, [](std::int64_t i, std::int64_t j) { return i == j ? 1.0L : 0.0L; });
}
inline Matrix turned(const Matrix& a) {
    return matrix_of(a.columns(), a.rows(), [&](std::int64_t i, std::int64_t j) { return a(j, i); });
}
inline Matrix times(const Matrix& a, const Matrix& b) {
    return matrix_of(a.rows(), b.columns(), [&](std::int64_t i, std::int64_t j) {
        long double sum = 0;
        for (std::int64_t k = 0; k < a.columns(); ++k) sum += a(i, k) * b(k, j);
        return sum;
    });
}

/// By Gauss and Jordan's elimination: b becomes a^-1 b. Returns the determinant; b is of no use if that is 0.
inline long double eliminate(Matrix a, Matrix& b) {
    long double determinant = 1;
    const std::int64_t n = a.rows();
    for (std::int64_t k = 0; k < n; ++k) {
        std::int64_t pivot = k;
        for (std::int64_t i = k; i < n; ++i)
            if (std::abs(a(i, k)) > std::abs(a(pivot, k))) pivot = i;
        if (a(pivot, k) == 0) return 0;
        if (pivot != k) determinant = -determinant;
        for (std::int64_t j = 0; j < n; ++j) std::swap(a(k, j), a(pivot, j));
        for (std::int64_t j = 0; j < b.columns(); ++j) std::swap(b(k, j), b(pivot, j));
        determinant *= a(k, k);
        for (std::int64_t i = 0; i < n; ++i) {
            if (i == k) continue;
            const long double factor = a(i, k) / a(k, k);
            for (std::int64_t j = k; j < n; ++j) a(i, j) -= factor * a(k, j);
            for (std::int64_t j = 0; j < b.columns(); ++j) b(i, j) -= factor * b(k, j);
        }
    }
    for (std::int64_t i = 0; i < n; ++i)
        for (std::int64_t j = 0; j < b.columns(); ++j) b(i, j) /= a(i, i);
    return determinant;
}

/// Each element is off by `tolerance` at most.
inline void check_near(const Matrix& got, const Matrix& want, double tolerance) {
    REQUIRE(got.rows() == want.rows());
    REQUIRE(got.columns() == want.columns());
    for (std::int64_t i = 0; i < got.rows(); ++i)
        for (std::int64_t j = 0; j < got.columns(); ++j)
            if (!(std::abs(got(i, j) - want(i, j)) <= tolerance))
                FAIL_CHECK("element [" << i << ", " << j << "] is " << static_cast<double>(got(i, j)) << ", not "
                                       << static_cast<double>(want(i, j)));
}

/// How exact a sum of some products is, in units of 1.
inline double precision_of(Dtype dtype) { return dtype == Dtype::float64 ? 1e-13 : 1e-4; }

/// Matrices [.., n, n] of elements in [-1, 1) plus 2 on the diagonal, in any layout: not singular, nor nearly so.
inline Tensor regular_matrices(const Shape& shape, int layout, std::uint64_t seed, Dtype dtype) {
    const Tensor x = laid_out(shape, layout, seed, dtype, -0.5, 0.5);
    Tensor result = x;  // of the layout
    for (std::int64_t i = 0; i < shape.back(); ++i) {
        Tensor diagonal = select(select(result, -1, i), -1, i);
        diagonal.copy_from(diagonal + 2.0);
    }
    return result;
}

}  // namespace brute_force

#pragma once

#include <string>
#include <string_view>
#include <wengert/autograd/tensor/tensor.hpp>

namespace wengert::npy {

/// What stands before the elements of a .npy file.
struct Header {
    Dtype dtype;
    bool fortran_order;  ///< the first axis runs fastest
    Shape shape;
};

/// Bytes of the magic, the version and the header's length, at most.
inline constexpr std::size_t most_prefix = 12;

/// How many bytes stand before the elements, all in all, given the first most_prefix bytes of a file, or all if there
/// are fewer. Throws FileError if it is no .npy.
std::size_t header_bytes(std::string_view prefix);
/// The header in these bytes. Throws FileError if it is not as the format says, or the dtype is none of ours.
Header parse_header(std::string_view bytes);
/// The bytes before the elements of a tensor in C's order.
std::string header_of(const Tensor& x);

}  // namespace wengert::npy

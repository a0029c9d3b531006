#pragma once

#if defined(__clang__) && __clang_major__ < 16
#error "Wengert needs clang 16 or later, or GCC 12 or later"
#endif

/// Stands in `namespace WENGERT_EXPORT wengert` of each header that is installed: what it declares can be linked to.
/// What other headers declare stays inside the shared library.
#define WENGERT_EXPORT __attribute__((visibility("default")))

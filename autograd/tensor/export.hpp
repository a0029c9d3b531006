#pragma once

/// Stands in `namespace WENGERT_EXPORT wengert` of each header that is installed: what it declares can be linked to.
/// What other headers declare stays inside the shared library.
#define WENGERT_EXPORT __attribute__((visibility("default")))

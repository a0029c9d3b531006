#pragma once

#include <wengert/ops/elementwise/elementwise.hpp>
#include <wengert/ops/elementwise/map.hpp>
#include <wengert/ops/index/embedding.hpp>
#include <wengert/ops/network/cross_entropy.hpp>
#include <wengert/ops/network/dropout.hpp>
#include <wengert/ops/network/masking.hpp>
#include <wengert/ops/products/matmul.hpp>
#include <wengert/ops/products/precision.hpp>
#include <wengert/ops/products/threads.hpp>
#include <wengert/ops/random/random.hpp>
#include <wengert/ops/reduce/extremes.hpp>
#include <wengert/ops/reduce/reductions.hpp>
#include <wengert/ops/reduce/softmax.hpp>
#include <wengert/ops/shape/concat.hpp>
#include <wengert/ops/shape/copies.hpp>
#include <wengert/ops/shape/views.hpp>

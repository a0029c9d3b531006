#pragma once

#include <wengert/ops/concat.hpp>
#include <wengert/ops/cross_entropy.hpp>
#include <wengert/ops/elementwise.hpp>
#include <wengert/ops/embedding.hpp>
#include <wengert/ops/map.hpp>
#include <wengert/ops/masking.hpp>
#include <wengert/ops/matmul.hpp>
#include <wengert/ops/precision.hpp>
#include <wengert/ops/random.hpp>
#include <wengert/ops/reductions.hpp>
#include <wengert/ops/softmax.hpp>
#include <wengert/ops/threads.hpp>
#include <wengert/ops/views.hpp>

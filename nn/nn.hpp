#pragma once

#include <wengert/autograd/autograd.hpp>
#include <wengert/nn/atomic_file.hpp>
#include <wengert/nn/attention.hpp>
#include <wengert/nn/clipping.hpp>
#include <wengert/nn/dropout.hpp>
#include <wengert/nn/embedding.hpp>
#include <wengert/nn/gradcheck.hpp>
#include <wengert/nn/gru.hpp>
#include <wengert/nn/initializers.hpp>
#include <wengert/nn/layer_norm.hpp>
#include <wengert/nn/linear.hpp>
#include <wengert/nn/module.hpp>
#include <wengert/nn/optimizers.hpp>
#include <wengert/nn/safetensors.hpp>
#include <wengert/nn/streams.hpp>
#include <wengert/ops/ops.hpp>

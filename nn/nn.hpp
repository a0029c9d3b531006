#pragma once

#include <wengert/autograd/autograd.hpp>
#include <wengert/nn/attention.hpp>
#include <wengert/nn/embedding.hpp>
#include <wengert/nn/gru.hpp>
#include <wengert/nn/linear.hpp>
#include <wengert/nn/module.hpp>
#include <wengert/ops/ops.hpp>

#pragma once

#include <wengert/autograd/allocator.hpp>
#include <wengert/autograd/error.hpp>
#include <wengert/autograd/gradcheck.hpp>
#include <wengert/autograd/graph.hpp>
#include <wengert/autograd/operation.hpp>
#include <wengert/autograd/profile.hpp>
#include <wengert/autograd/scope.hpp>
#include <wengert/autograd/tape.hpp>
#include <wengert/autograd/tensor.hpp>

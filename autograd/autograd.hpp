#pragma once

#include <wengert/autograd/check/gradcheck.hpp>
#include <wengert/autograd/observe/anomaly.hpp>
#include <wengert/autograd/observe/graph.hpp>
#include <wengert/autograd/observe/memory.hpp>
#include <wengert/autograd/observe/picture_file.hpp>
#include <wengert/autograd/observe/profile.hpp>
#include <wengert/autograd/observe/svg.hpp>
#include <wengert/autograd/tape/operation.hpp>
#include <wengert/autograd/tape/scope.hpp>
#include <wengert/autograd/tape/tape.hpp>
#include <wengert/autograd/tensor/allocator.hpp>
#include <wengert/autograd/tensor/error.hpp>
#include <wengert/autograd/tensor/parallel.hpp>
#include <wengert/autograd/tensor/tensor.hpp>
#include <wengert/autograd/tensor/unit_interval.hpp>
#include <wengert/autograd/transform/derivatives.hpp>

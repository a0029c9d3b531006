// What nearly every test of ops and of what they make up includes, compiled once. No file relies on it.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>
#include <wengert/autograd/check/gradcheck.hpp>
#include <wengert/nn/module.hpp>

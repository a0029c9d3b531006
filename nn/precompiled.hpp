// What compositions of ops include, compiled once. No file relies on it: each includes what it uses.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <span>
#include <string>
#include <vector>
#include <wengert/nn/module.hpp>

// What nearly every file of the library includes, compiled once. No file relies on it: each includes what it uses.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <span>
#include <string>
#include <vector>
#include <wengert/autograd/tape/operation.hpp>

// What nearly every test includes, compiled once for each suite. No file relies on it: each includes what it uses.
#include <doctest/doctest.h>

#include <wengert/autograd/precompiled.hpp>

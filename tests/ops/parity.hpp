#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>
#include <wengert/autograd/tensor/tensor.hpp>

using OpInputs = std::vector<wengert::Tensor>;
/// By the names of tests/fixtures/op_fixtures.py: calls that are no functions of the library's list.
using OpCases = std::map<std::string, std::function<wengert::Tensor(const OpInputs&)>>;

const OpCases& elements_cases();
const OpCases& arrangements_cases();
const OpCases& products_cases();
const OpCases& networks_cases();

#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>
#include <wengert/nn/optimizers.hpp>

inline wengert::Tensor parameter(const wengert::Tensor& value, const std::string& name = {}) {
    return wengert::Tensor(value.clone()).set_name(name).set_parameter();
}

using Maker = std::function<std::unique_ptr<wengert::Optimizer>(std::vector<wengert::Tensor>)>;

template <class Kind>
Maker maker(const auto& options) {
    return [options](std::vector<wengert::Tensor> parameters) {
        return std::make_unique<Kind>(std::move(parameters), options);
    };
}

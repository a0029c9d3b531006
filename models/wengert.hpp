#pragma once

/// All of Wengert. A program that needs less includes less: <wengert/nn/nn.hpp> has layers, ops and tapes.
#include <wengert/models/models.hpp>

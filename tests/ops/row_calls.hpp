#pragma once

#include <cctype>
#include <string>
#include <string_view>
#include <vector>

/// The functions that a row of the reference names: "conv2d(x, ..), conv1d(x, ..)" -> conv2d, conv1d.
inline std::vector<std::string> calls_of(std::string_view row) {
    std::vector<std::string> names;
    for (std::size_t end = row.find('('); end != std::string_view::npos; end = row.find('(', end + 1)) {
        std::size_t begin = end;
        while (begin > 0 && (std::isalnum(static_cast<unsigned char>(row[begin - 1])) != 0 || row[begin - 1] == '_'))
            --begin;
        if (begin < end) names.emplace_back(row.substr(begin, end - begin));
    }
    return names;
}

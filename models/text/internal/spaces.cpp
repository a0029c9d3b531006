#include <algorithm>
#include <wengert/models/text/internal/splitter.hpp>

namespace wengert {

namespace {

class SpaceSplitter : public Splitter {
  public:
    Sentence split(std::string_view text) const override {
        Sentence tokens;
        for (std::size_t begin = 0; (begin = text.find_first_not_of(' ', begin)) != text.npos;) {
            const std::size_t end = std::min(text.find(' ', begin), text.size());
            tokens.emplace_back(text.substr(begin, end - begin));
            begin = end;
        }
        return tokens;
    }

    std::string join(std::span<const std::string> tokens) const override {
        std::string text;
        for (const std::string& token : tokens) {
            if (!text.empty()) text += ' ';
            text += token;
        }
        return text;
    }
};

}  // namespace

std::shared_ptr<const Splitter> space_splitter() {
    static const auto splitter = std::make_shared<const SpaceSplitter>();
    return splitter;
}

}  // namespace wengert

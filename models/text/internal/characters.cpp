#include <utility>
#include <wengert/models/text/internal/splitter.hpp>
#include <wengert/models/text/unicode.hpp>

namespace wengert {

namespace {

class CharacterSplitter : public Splitter {
  public:
    Sentence split(std::string_view text) const override {
        Sentence tokens;
        bool pending_space = false;
        for (const Character& c : characters(text)) {
            if (c.kind == CharacterClass::space) {
                pending_space = !tokens.empty();
                continue;
            }
            if (std::exchange(pending_space, false)) tokens.emplace_back(space_mark);
            tokens.emplace_back(c.text);
        }
        return tokens;
    }

    std::string join(std::span<const std::string> tokens) const override {
        std::string text;
        for (const std::string& token : tokens) text += token == space_mark ? std::string_view(" ") : token;
        return text;
    }
};

}  // namespace

std::shared_ptr<const Splitter> character_splitter() {
    static const auto splitter = std::make_shared<const CharacterSplitter>();
    return splitter;
}

}  // namespace wengert

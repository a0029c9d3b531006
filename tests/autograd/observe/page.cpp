#include <doctest/doctest.h>

#include <wengert/autograd/observe/page.hpp>

using namespace wengert;

TEST_CASE("page: contents stand where their names did, and are not looked into") {
    CHECK(page::filled("<p>{{a}}</p>{{b}}{{a}}", {{"a", "{{b}}"}, {"b", "x"}}) == "<p>{{b}}</p>x{{b}}");
    CHECK(page::filled("none", {{"a", "x"}}) == "none");
    CHECK(page::filled("", {{"a", "x"}}).empty());
}

TEST_CASE("page: no text of JSON ends a script") {
    CHECK(page::in_script(R"(["</script>", "<!--"])") == R"(["\u003c/script>", "\u003c!--"])");
}

#include <catch2/catch.hpp>
#include <set>
#include <string>

#include "model/finding.hpp"
#include "rules/rule_pages.hpp"

using namespace taskctl;

TEST_CASE("every rule has its page and every page its four sections") {
  std::set<std::string> codes;
  for (const RulePage& page : k_rule_pages) {
    codes.emplace(page.name);
    INFO(page.name);
    const std::string text{page.text};
    CHECK(text.rfind("# " + std::string{page.name} + ": ", 0) == 0);
    for (const char* section :
         {"## What it means\n", "## How it comes about\n", "## What the repair does\n", "## How to see it in SQL\n"}) {
      const std::size_t at = text.find(section);
      REQUIRE(at != std::string::npos);
      // Something stands under the heading.
      CHECK(text.at(at + std::string{section}.size()) != '\n');
    }
  }
  for (const Rule rule : k_rules) {
    INFO(to_string(rule));
    CHECK(codes.count(std::string{to_string(rule)}) == 1);
  }
}

#include "profile/evidence_matcher.hpp"

#include <catch2/catch.hpp>

using namespace taskctl;

namespace {

EvidenceSource source(EvidenceSource::Kind kind, std::vector<EvidencePattern> patterns, bool regex = false) {
  EvidenceSource result;
  result.kind = kind;
  result.regex = regex;
  result.patterns = std::move(patterns);
  return result;
}

std::optional<std::size_t> pattern_of(const EvidenceSource& source, std::string_view text) {
  const auto match = EvidenceMatcher{source}.find(text);
  return match ? std::optional{match->pattern} : std::nullopt;
}

const std::vector<EvidencePattern> k_words{{"done", Outcome::succeeded}, {"ERROR", Outcome::failed}};

}  // namespace

TEST_CASE("a literal stands anywhere in a log and is the whole value of a result") {
  const auto log = source(EvidenceSource::Kind::log, k_words);
  CHECK(pattern_of(log, "all done here") == 0U);
  CHECK(pattern_of(log, "undone") == 0U);
  CHECK_FALSE(pattern_of(log, "Done"));
  CHECK_FALSE(pattern_of(log, ""));
  const auto result = source(EvidenceSource::Kind::result, k_words);
  CHECK(pattern_of(result, "done") == 0U);
  CHECK(pattern_of(result, " done\r\n") == 0U);
  CHECK_FALSE(pattern_of(result, "undone"));
  CHECK_FALSE(pattern_of(result, ""));
}

TEST_CASE("the first pattern of the profile that fits wins and says where") {
  const auto log = source(EvidenceSource::Kind::log, k_words);
  const auto match = EvidenceMatcher{log}.find("ERROR, then done");
  REQUIRE(match);
  CHECK(match->pattern == 0);
  CHECK(match->begin == 12);
  CHECK(match->length == 4);
  CHECK(pattern_of(log, "ERROR") == 1U);
}

TEST_CASE("a literal has no special characters and a regular expression has") {
  const std::vector<EvidencePattern> patterns{{"[E]rr.r", Outcome::failed}};
  CHECK(pattern_of(source(EvidenceSource::Kind::log, patterns), "an [E]rr.r") == 0U);
  CHECK_FALSE(pattern_of(source(EvidenceSource::Kind::log, patterns), "an Error"));
  const auto regex = source(EvidenceSource::Kind::log, patterns, true);
  CHECK(pattern_of(regex, "an Error") == 0U);
  CHECK_FALSE(pattern_of(regex, "an [E]rr.r"));
  const auto anchored = source(EvidenceSource::Kind::result, {{"^ok$", Outcome::succeeded}}, true);
  CHECK(pattern_of(anchored, "ok") == 0U);
  CHECK_FALSE(pattern_of(anchored, "ok!"));
}

TEST_CASE("regular expressions are checked and take linear time") {
  CHECK(is_regular_expression("a|b"));
  CHECK_FALSE(is_regular_expression("a(b"));
  CHECK_FALSE(is_regular_expression(R"((a)\1)"));
  const auto slow = source(EvidenceSource::Kind::log, {{"(a*)*b", Outcome::failed}}, true);
  CHECK_FALSE(pattern_of(slow, std::string(64U * 1024U, 'a')));
}

TEST_CASE("text that is not valid utf-8 is searched all the same") {
  const auto regex = source(EvidenceSource::Kind::log, {{"ERROR \\d+", Outcome::failed}}, true);
  CHECK(pattern_of(regex, "\xff\xfe ERROR 12 \x80") == 0U);
  const auto log = source(EvidenceSource::Kind::log, k_words);
  CHECK(pattern_of(log, std::string{"\0\xff"
                                    "ERROR",
                                    7}) == 1U);
}

TEST_CASE("blanks and control characters are trimmed") {
  CHECK(trimmed(" \t a b \r\n") == "a b");
  CHECK(trimmed(" \n").empty());
}

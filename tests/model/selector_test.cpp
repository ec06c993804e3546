#include "model/selector.hpp"

#include <catch2/catch.hpp>

using namespace taskctl;

TEST_CASE("an empty selector is every task") {
  const Selector selector;
  CHECK(selector.empty());
  CHECK(selector.describe() == "every task");
  CHECK(selector.matches(Finding{}));
}

TEST_CASE("a selector with any field is not empty") {
  CHECK_FALSE(Selector{.ids = {"1"}}.empty());
  CHECK_FALSE(Selector{.workers = {""}}.empty());
  CHECK_FALSE(Selector{.kinds = {"plan"}}.empty());
  CHECK_FALSE(Selector{.queues = {"q"}}.empty());
  CHECK_FALSE(Selector{.users = {"u"}}.empty());
  CHECK_FALSE(Selector{.statuses = {"s"}}.empty());
  CHECK_FALSE(Selector{.rules = {Rule::dead}}.empty());
  CHECK_FALSE(Selector{.certainties = {Certainty::certain}}.empty());
}

TEST_CASE("a selector describes itself as a predicate") {
  CHECK(Selector{.kinds = {"plan"}, .statuses = {"running", "pending"}}.describe() ==
        "kind = 'plan' AND status IN ('running', 'pending')");
  CHECK(Selector{.ids = {"it's"}}.describe() == "id = 'it''s'");
  const Selector every{
      {"1"}, {"w"}, {"k"}, {"q"}, {"u"}, {"s"}, {Rule::never_assigned, Rule::dead}, {Certainty::probable}};
  CHECK(every.describe() ==
        "id = '1' AND worker = 'w' AND kind = 'k' AND queue = 'q' AND user = 'u' AND status = 's' AND "
        "rule IN ('never-assigned', 'dead') AND certainty = 'probable'");
}

TEST_CASE("only rule and certainty are matched here") {
  Finding finding;
  finding.rule = Rule::dead;
  finding.certainty = Certainty::probable;
  finding.task.kind = "plan";
  CHECK(Selector{.rules = {Rule::overdue, Rule::dead}}.matches(finding));
  CHECK_FALSE(Selector{.rules = {Rule::overdue}}.matches(finding));
  CHECK(Selector{.certainties = {Certainty::probable}}.matches(finding));
  CHECK_FALSE(Selector{.rules = {Rule::dead}, .certainties = {Certainty::certain}}.matches(finding));
  CHECK(Selector{.kinds = {"apply"}}.matches(finding));
  finding.also = {Rule::overdue};
  CHECK_FALSE(Selector{.rules = {Rule::overdue}}.matches(finding));
}

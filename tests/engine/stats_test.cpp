#include "engine/stats.hpp"

#include <catch2/catch.hpp>

#include "engine/judge_scene.hpp"

using namespace taskctl;
using namespace taskctl::test;

TEST_CASE("names beyond the bound are counted together and none is a name of its own") {
  Tally tally;
  for (std::size_t i = 0; i < Tally::k_names - 1; ++i) {
    tally.add(std::to_string(i));
  }
  tally.add(std::nullopt);
  tally.add("one too many");
  tally.add("0");
  tally.add(std::nullopt);
  CHECK(tally.counts.size() == Tally::k_names);
  CHECK(tally.counts.at("0") == 2);
  CHECK(tally.counts.at(std::nullopt) == 2);
  CHECK(tally.others == 1);
}

TEST_CASE("an age equal to a bound belongs to the older bucket") {
  ClassAges ages;
  for (std::size_t i = 0; i < AgeHistogram::k_bounds.size(); ++i) {
    const Duration bound = AgeHistogram::k_bounds.at(i);
    ages.add({}, k_now - bound, k_now, 1min);
    ages.add({}, k_now - bound + std::chrono::microseconds{1}, k_now, 1min);
  }
  CHECK(ages.ages.counts == std::array<std::int64_t, 8>{1, 2, 2, 2, 2, 2, 2, 1});
  CHECK(k_now - ages.oldest->since == 168h);
}

TEST_CASE("a start that lies ahead by no more than the settling time is young and later ones are apart") {
  ClassAges ages;
  ages.add({}, k_now + 1min, k_now, 1min);
  ages.add({}, k_now + 61s, k_now, 1min);
  ages.add({}, std::nullopt, k_now, 1min);
  CHECK(ages.ages.counts.front() == 1);
  CHECK(ages.ages.future == 1);
  CHECK(ages.ages.unknown == 1);
  CHECK(ages.ages.total == 3);
  CHECK(k_now - ages.oldest->since == -1min);
}

#include "engine/finding_codec.hpp"

#include <stdexcept>

#include <catch2/catch.hpp>

#include "engine/judge_scene.hpp"
#include "engine/lister.hpp"

using namespace taskctl;
using namespace taskctl::test;

TEST_CASE("a listed finding comes back from the spool as it was") {
  Scene scene;
  scene.facts.task.key.parts = {"a\"b", std::string{"n\0l", 3}, ""};
  scene.facts.task.kind = "";
  scene.facts.task.error = std::string{"\xff\xfe"};
  scene.facts.task.attempts_used = -3;
  scene.times().finished = ago(1h);
  scene.times().updated = unreadable("gestern");
  scene.request_cancel(30min);
  scene.add_verdict(Liveness::dead);
  scene.profile.hazards.push_back({"applying", {}, ""});
  scene.facts.hazards = {true};
  const Finding before = scene.finding();
  const ListItem item = decode_item(encode_item({before, false}));
  const Finding& after = item.finding;
  CHECK_FALSE(item.fine);
  CHECK(after.task.key == before.task.key);
  CHECK(after.task.status == "running");
  CHECK(after.task.task_class == TaskClass::active);
  CHECK(after.task.kind == "");
  CHECK(after.task.worker == std::nullopt);
  CHECK(after.task.error == before.task.error);
  CHECK(after.task.attempts_used == -3);
  CHECK(after.task.attempts_limit == std::nullopt);
  CHECK(after.task.times.finished.at == k_now - 1h);
  CHECK(after.task.times.updated.unreadable());
  CHECK(after.task.times.updated.raw == "gestern");
  CHECK(after.task.times.claimed.absent());
  CHECK(after.rule == Rule::contradiction);
  CHECK(after.certainty == Certainty::certain);
  CHECK(after.outcome == before.outcome);
  CHECK(after.repair == Repair::hazard);
  REQUIRE(after.evidence.size() == before.evidence.size());
  CHECK(after.evidence[0].source == before.evidence[0].source);
  CHECK(after.evidence[0].text == before.evidence[0].text);
  CHECK(after.also == std::vector<Rule>{Rule::cancel_requested, Rule::dead});
  CHECK(after.hazards == std::vector<std::string>{"applying"});
  CHECK(after.liveness == Liveness::dead);
  CHECK(after.since == k_now - 2h);
  CHECK(after.note == before.note);
  CHECK(after.request_reason == "Client disconnected");
}

TEST_CASE("a healthy task without a class or a time survives the spool") {
  ListItem item;
  item.fine = true;
  const ListItem after = decode_item(encode_item(item));
  CHECK(after.fine);
  CHECK(after.finding.task.task_class == std::nullopt);
  CHECK(after.finding.since == std::nullopt);
  CHECK(after.finding.request_reason == std::nullopt);
  CHECK(after.finding.evidence.empty());
}

TEST_CASE("a cut record is refused") {
  const std::string bytes = encode_item({});
  CHECK_THROWS_AS(decode_item(std::string_view{bytes}.substr(0, bytes.size() - 1)), std::out_of_range);
  CHECK_THROWS_AS(decode_item(""), std::out_of_range);
}

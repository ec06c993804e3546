#include "engine/facts_codec.hpp"

#include "engine/finding_codec.hpp"

namespace taskctl {

std::string encode_facts(const TaskFacts& facts) {
  ByteWriter out;
  encode(out, facts.task);
  out.number(static_cast<std::int64_t>(facts.class_rule));
  out.number(static_cast<std::int64_t>(facts.liveness.size()));
  for (const LivenessFact& fact : facts.liveness) {
    out.number(fact.row_found ? 1 : 0);
    encode(out, fact.heartbeat);
    encode(out, fact.verdict);
  }
  out.number(facts.cancel_request.present ? 1 : 0);
  encode(out, facts.cancel_request.requested);
  encode(out, facts.cancel_request.reason);
  out.number(static_cast<std::int64_t>(facts.hazards.size()));
  for (const bool hazard : facts.hazards) {
    out.number(hazard ? 1 : 0);
  }
  encode(out, facts.attempts_requeued);
  return out.bytes();
}

TaskFacts decode_facts(std::string_view bytes) {
  ByteReader in{bytes};
  TaskFacts facts;
  facts.task = decode_task(in);
  facts.class_rule = static_cast<std::size_t>(in.number());
  facts.liveness.resize(static_cast<std::size_t>(in.number()));
  for (LivenessFact& fact : facts.liveness) {
    fact.row_found = in.number() != 0;
    fact.heartbeat = decode_time_fact(in);
    fact.verdict = decode_optional_text(in);
  }
  facts.cancel_request.present = in.number() != 0;
  facts.cancel_request.requested = decode_time_fact(in);
  facts.cancel_request.reason = decode_optional_text(in);
  for (auto left = in.number(); left > 0; --left) {
    facts.hazards.push_back(in.number() != 0);
  }
  facts.attempts_requeued = decode_optional_number(in);
  return facts;
}

}  // namespace taskctl

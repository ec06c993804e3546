#include "model/selector.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"

namespace taskctl {

namespace {

/// Values of one field that are named; a list of ids may have thousands.
constexpr std::size_t k_most_named = 20;

/// As an SQL literal: quotes doubled.
std::string in_quotes(std::string_view value) {
  std::string out = "'";
  for (const char character : value) {
    out.append(character == '\'' ? 2 : 1, character);
  }
  return out + "'";
}

template <typename Code>
std::vector<std::string> codes_of(const std::vector<Code>& values) {
  std::vector<std::string> codes;
  for (const Code value : values) {
    codes.emplace_back(to_string(value));
  }
  return codes;
}

void add_term(std::vector<std::string>& terms, std::string_view field, const std::vector<std::string>& values) {
  std::vector<std::string> literals;
  for (const std::string& value : values) {
    if (literals.size() == k_most_named) {
      literals.push_back(fmt::format("… {} more", values.size() - k_most_named));
      break;
    }
    literals.push_back(in_quotes(value));
  }
  if (literals.size() == 1) {
    terms.push_back(fmt::format("{} = {}", field, literals.front()));
  } else if (!literals.empty()) {
    terms.push_back(fmt::format("{} IN ({})", field, join(literals, ", ")));
  }
}

template <typename Code>
bool allows(const std::vector<Code>& wanted, Code value) {
  return wanted.empty() || std::find(wanted.begin(), wanted.end(), value) != wanted.end();
}

}  // namespace

bool Selector::empty() const {
  return ids.empty() && workers.empty() && kinds.empty() && queues.empty() && users.empty() && statuses.empty() &&
         rules.empty() && certainties.empty();
}

std::string Selector::describe() const {
  if (empty()) {
    return "every task";
  }
  std::vector<std::string> terms;
  add_term(terms, "id", ids);
  add_term(terms, "worker", workers);
  add_term(terms, "kind", kinds);
  add_term(terms, "queue", queues);
  add_term(terms, "user", users);
  add_term(terms, "status", statuses);
  add_term(terms, "rule", codes_of(rules));
  add_term(terms, "certainty", codes_of(certainties));
  return join(terms, " AND ");
}

bool Selector::matches(const Finding& finding) const {
  return allows(rules, finding.rule) && allows(certainties, finding.certainty);
}

}  // namespace taskctl

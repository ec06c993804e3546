#include "commands/explain/explain.hpp"

#include <fmt/format.h>

#include <vector>

#include "base/error.hpp"
#include "base/text.hpp"
#include "cli/app.hpp"
#include "rules/rule_pages.hpp"
#include "view/table_writer.hpp"

namespace taskctl {

namespace {

/// "the row says two things at once" of "# contradiction: the row says two things at once".
std::string title_of(const RulePage& page) {
  const std::string_view line = page.text.substr(0, page.text.find('\n'));
  return std::string{line.substr(line.find(": ") + 2)};
}

int list_rules(Streams& streams) {
  TableWriter table{{{.title = "RULE"}, {.title = "MEANING", .shrinkable = true}}};
  for (const RulePage& page : k_rule_pages) {
    table.row({std::string{page.name}, title_of(page)});
  }
  table.write(streams);
  return static_cast<int>(ExitCode::ok);
}

}  // namespace

void declare_explain(CLI::App& app, ExplainOptions& options) {
  app.add_option("RULE", options.rule)->description("a rule as list-stuck names it; without one: all of them");
}

int run_explain(Context& context, const ExplainOptions& options) {
  const std::string rule = unshield(options.rule);
  if (rule.empty()) {
    return list_rules(context.streams());
  }
  std::vector<std::string> codes;
  for (const RulePage& page : k_rule_pages) {
    if (page.name == rule) {
      context.streams().out(page.text);
      return static_cast<int>(ExitCode::ok);
    }
    codes.emplace_back(page.name);
  }
  const std::string near = nearest(rule, codes);
  throw Error{ExitCode::usage, fmt::format("there is no rule '{}'", rule),
              near.empty() ? "`taskctl explain` lists the rules." : fmt::format("Did you mean '{}'?", near)};
}

}  // namespace taskctl

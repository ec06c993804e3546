#pragma once

#include <optional>
#include <string>

#include "cli/context.hpp"
#include "cli/options.hpp"

namespace taskctl {

struct ListStuckOptions {
  TargetOptions target;
  AgeOptions age;
  SelectorOptions selector;
  OutputOptions output;
  bool include_fine = false;
  bool exit_code = false;
  std::string sort = "age";  ///< age, id, kind, status, worker, rule, certainty
  std::optional<std::size_t> limit;
  bool no_evidence = false;
};

void declare_list_stuck(CLI::App& app, ListStuckOptions& options);
/// 0; with --exit-code 4 when something is stuck.
int run_list_stuck(Context& context, const ListStuckOptions& options);

}  // namespace taskctl

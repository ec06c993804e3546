#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/context.hpp"
#include "cli/options.hpp"

namespace taskctl {

struct ListWorkersOptions {
  TargetOptions target;
  AgeOptions age;
  OutputOptions output;
  std::vector<std::string> names;
  std::vector<Liveness> states;
  std::string sort = "state";  ///< state, name, heartbeat, held, stuck, age
  std::optional<std::size_t> limit;
  bool no_evidence = false;
  bool exit_code = false;
};

void declare_list_workers(CLI::App& app, ListWorkersOptions& options);
/// 0; with --exit-code 4 when a selected worker is dead and holds tasks.
int run_list_workers(Context& context, const ListWorkersOptions& options);

}  // namespace taskctl

#include "model/run.hpp"

#include "model/names.hpp"

namespace taskctl {

namespace {

constexpr auto k_state_names = std::to_array<Name<RunState>>({
    {RunState::started, "started"},
    {RunState::done, "done"},
    {RunState::stopped, "stopped"},
    {RunState::failed, "failed"},
    {RunState::pruning, "pruning"},
});

}  // namespace

std::string_view to_string(RunState state) {
  return name_of(k_state_names, state);
}

std::optional<RunState> parse_run_state(std::string_view text) {
  return value_of(k_state_names, text);
}

}  // namespace taskctl

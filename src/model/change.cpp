#include "model/change.hpp"

#include "model/names.hpp"

namespace taskctl {

namespace {

constexpr auto k_operation_names = std::to_array<Name<Operation>>({
    {Operation::update, "update"},
    {Operation::insert, "insert"},
    {Operation::remove, "delete"},
});

constexpr auto k_result_names = std::to_array<Name<UnitResult>>({
    {UnitResult::applied, "applied"},
    {UnitResult::moved_on, "moved-on"},
    {UnitResult::conflict, "conflict"},
    {UnitResult::busy, "busy"},
    {UnitResult::failed, "failed"},
    {UnitResult::waiting, "waiting"},
    {UnitResult::refused, "refused"},
});

}  // namespace

std::string_view to_string(Operation operation) {
  return name_of(k_operation_names, operation);
}

std::optional<Operation> parse_operation(std::string_view text) {
  return value_of(k_operation_names, text);
}

std::string_view to_string(UnitResult result) {
  return name_of(k_result_names, result);
}

}  // namespace taskctl

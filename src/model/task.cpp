#include "model/task.hpp"

#include "model/names.hpp"

namespace taskctl {

namespace {

constexpr auto k_class_names = std::to_array<Name<TaskClass>>({
    {TaskClass::queued, "queued"},
    {TaskClass::active, "active"},
    {TaskClass::parked, "parked"},
    {TaskClass::succeeded, "succeeded"},
    {TaskClass::failed, "failed"},
    {TaskClass::cancelled, "cancelled"},
});

}  // namespace

std::string_view to_string(TaskClass task_class) {
  return name_of(k_class_names, task_class);
}

std::optional<TaskClass> parse_task_class(std::string_view text) {
  return value_of(k_class_names, text);
}

}  // namespace taskctl

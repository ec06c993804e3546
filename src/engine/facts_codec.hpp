#pragma once

#include <string>
#include <string_view>

#include "model/task.hpp"

namespace taskctl {

// Facts that wait for their evidence. Without evidence and image, which are read afterwards. Read in the process that
// wrote them.
[[nodiscard]] std::string encode_facts(const TaskFacts& facts);
[[nodiscard]] TaskFacts decode_facts(std::string_view bytes);

}  // namespace taskctl

#pragma once

#include <string>
#include <vector>

#include "model/finding.hpp"

namespace taskctl {

/// What one rule says of one task.
struct Opinion {
  bool fired = false;
  std::string why;
  std::vector<Evidence> evidence;
};

[[nodiscard]] Opinion quiet(std::string why);
/// Fired; `why` is the evidence in one line.
[[nodiscard]] Opinion fire(std::vector<Evidence> evidence);

}  // namespace taskctl

#include <algorithm>

#include "base/digest.hpp"
#include "base/timestamp.hpp"
#include "engine/applier.hpp"

namespace taskctl {

std::string new_run_id(Instant now) {
  constexpr std::size_t k_random_bytes = 3;
  std::string id = format_compact(now);
  std::replace(id.begin(), id.end(), '_', 'T');
  return id + "-" + random_hex(k_random_bytes);
}

}  // namespace taskctl

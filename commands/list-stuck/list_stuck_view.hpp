#pragma once

#include <optional>
#include <string>

#include "cli/context.hpp"
#include "engine/lister.hpp"
#include "view/format.hpp"

namespace taskctl {

struct ListView {
  OutputFormat format = OutputFormat::table;
  std::string sort = "age";
  std::optional<std::size_t> limit;
  std::string target;
  std::string selection;  ///< the predicate that was used
  Duration max_age{};
};

/// Prints a listing in one format. The database is closed to it: everything comes from the spool.
void print_listing(Streams& streams, const Listing& listing, const ListView& view);

}  // namespace taskctl

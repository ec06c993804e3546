#pragma once

#include <cstddef>

#include "view/format.hpp"
#include "view/streams.hpp"

namespace taskctl {

/// The newest `limit` commands that were refused or failed on this machine before they wrote anything, newest first.
/// Not in any journal: they changed no database. Lines that cannot be read are counted and said.
void print_attempts(Streams& streams, std::size_t limit, OutputFormat format);

}  // namespace taskctl

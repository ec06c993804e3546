#pragma once

namespace taskctl::postgres {

/// A function of the libpq that is opened when it is first needed, and stays open for the life of the process. Throws
/// Error{unavailable} when the machine has no libpq.
void* libpq_function(const char* name);

template <typename Function>
Function* find_libpq_function(const char* name) {
  return reinterpret_cast<Function*>(libpq_function(name));
}

}  // namespace taskctl::postgres

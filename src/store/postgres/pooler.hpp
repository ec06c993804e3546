#pragma once

#include <string>

#include "store/postgres/session.hpp"

namespace taskctl::postgres {

/// A pool that gives every transaction another server process (transaction pooling) loses the run lock and every
/// setting between two batches. Throws Error{refused} when the pool that this session, outside of a transaction,
/// goes through is one. `process` is what pg_backend_pid() tells; `options` opens another session of the same kind.
void refuse_transaction_pooling(Session& session, const std::string& process, const std::string& options,
                                const std::string& where);

}  // namespace taskctl::postgres

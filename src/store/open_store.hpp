#pragma once

#include <functional>
#include <memory>

#include "store/backup.hpp"
#include "store/connection.hpp"
#include "store/location.hpp"
#include "store/run_lock.hpp"
#include "store/sightings.hpp"

namespace taskctl {

/// How to reach each kind of database. main.cpp fills it with the concrete classes, so that
/// nothing above store/sqlite and store/postgres names them.
struct Drivers {
  using Open = std::function<std::unique_ptr<Connection>(const Location&, Access, const OpenOptions&)>;
  using Lock = std::function<std::unique_ptr<RunLock>(Connection&, const Location&, const LockRequest&)>;
  using MakeBackup = std::function<std::unique_ptr<BackupDriver>(const Location&, const OpenOptions&)>;
  struct Driver {
    Open open;
    Lock lock;
    MakeBackup backup;
  };
  Driver sqlite;
  Driver postgres;
  SightingFiles sightings{};

  [[nodiscard]] const Driver& of(Engine engine) const { return engine == Engine::sqlite ? sqlite : postgres; }
};

}  // namespace taskctl

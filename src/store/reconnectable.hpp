#pragma once

namespace taskctl {

/// What the server knows of a transaction whose COMMIT was not answered. Not enough by itself: a server that took over
/// may have given the transaction's number to another one.
enum class CommitState { committed, rolled_back, running, unknown };

/// What a connection to a server can do after ConnectionLostError or InDoubtError. Of PostgresConnection only: a file
/// does not go away.
class Reconnectable {
 public:
  virtual ~Reconnectable() = default;

  /// A new session in the place of the lost one: the same database (also when another host of the connection string
  /// answers), the same role, all settings set and read back; the server process of the lost session is ended first,
  /// so that it holds nothing any more. Throws ConnectionLostError when trying again may help, Error when not.
  virtual void reconnect() = 0;
  /// Of the last transaction of the session that was lost. After reconnect() only.
  [[nodiscard]] virtual CommitState last_commit() = 0;
};

}  // namespace taskctl

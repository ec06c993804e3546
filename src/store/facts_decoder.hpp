#pragma once

#include <memory>
#include <vector>

#include "model/task.hpp"
#include "profile/profile.hpp"
#include "sql/render.hpp"
#include "store/connection.hpp"

namespace taskctl {

/// Turns rows of a facts statement into TaskFacts.
class FactsDecoder {
 public:
  FactsDecoder(const Profile& profile, FactsLayout layout);
  [[nodiscard]] TaskFacts decode(const Row& row) const;

 private:
  /// A time of the task: its position in the row, how it is encoded, and where it goes.
  struct TimeColumn {
    int position;
    const ColumnEncoding* encoding;
    TimeFact TaskTimes::*member;
  };
  struct TextColumn {
    int position;
    std::optional<std::string> Task::*member;
  };

  void decode_task(const Row& row, Task& task) const;
  void decode_liveness(const Row& row, TaskFacts& facts) const;
  [[nodiscard]] CancelRequestFact decode_request(const Row& row) const;
  [[nodiscard]] std::string fingerprint(const Row& row) const;

  FactsLayout m_layout;
  std::string m_table;
  std::vector<TimeColumn> m_times;
  std::vector<TextColumn> m_texts;
  std::vector<std::size_t> m_own;                   ///< positions of what the profile reads of the task
  std::vector<const ColumnEncoding*> m_heartbeats;  ///< one per liveness source
  const ColumnEncoding* m_requested = nullptr;
  std::shared_ptr<const std::vector<std::string>> m_image_columns;
};

/// Encoding of a time column; timestamptz where the profile does not say.
[[nodiscard]] const ColumnEncoding& encoding_or_default(const Profile& profile, const std::string& table,
                                                        const std::string& column);
/// The same for the column behind a time of the task.
[[nodiscard]] const ColumnEncoding& encoding_of(const Profile& profile, const Attribute& attribute);

}  // namespace taskctl

#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "profile/document.hpp"
#include "profile/profile.hpp"

namespace taskctl {

/// Which placeholders a fragment may hold beside :task.COLUMN and :worker, by where it stands.
enum class FragmentUse {
  reading,    ///< none: it decides about a task as it is
  condition,  ///< `when` of an operation: :reason too, and :first_result on a table of results
  assignment  ///< a value of `set`: :reason, :now_text, and :now and :finished in the encoding of the column that is
              ///< set
};

/// A profile while it is read, with the facts that only the checks at the end need.
class Draft {
 public:
  /// A column that must have an entry in [times.*], and what needs it.
  struct TimeUse {
    ColumnUse column;
    std::string why;  ///< "a time", "':now'"
  };
  /// An outcome that something may choose, and which therefore needs operations.
  struct OutcomeUse {
    Outcome outcome = Outcome::undecided;
    SourcePosition where;
  };

  Profile profile;
  std::map<std::string, TimeStyle> styles;  ///< [encoding.NAME]
  std::vector<TimeUse> times;
  std::vector<OutcomeUse> chosen;
  std::map<Outcome, SourcePosition> outcome_places;
  std::map<Rule, SourcePosition> rule_places;
  std::map<std::string, SourcePosition> encoded_tables;  ///< [times.TABLE]
  std::set<std::string> tables;                          ///< every table that something else names
  std::vector<std::pair<SourcePosition, std::string>> worker_uses;

  /// Name of a table, "name" or "schema.name".
  std::string table(const Item& item);
  /// Records a column; the first place that names it counts.
  void use_column(const std::string& of_table, const std::string& name, const SourcePosition& where);
  /// Name of a column of the table, recorded for the check against the live schema.
  std::string column(const Item& item, const std::string& of_table);
  /// The same for a column that holds a time.
  std::string time_column(const Item& item, const std::string& of_table);
  /// `{ joined = "task column" }` pairs.
  Match match(const Item& item, const std::string& joined_table);
  /// SQL of any kind, remembered in profile.fragments.
  Fragment parse_fragment(const Item& item, std::string_view expected);
  /// SQL over the task; `set_column` is the one that an assignment writes, of `set_table`.
  Fragment fragment(const Item& item, FragmentUse use, const std::string& set_table = {},
                    const std::string& set_column = {});
  /// The encoding that the item names, or several of which the first that fits is read.
  [[nodiscard]] std::vector<TimeStyle> encodings(const Item& item) const;
  /// An outcome that a repair can have, recorded as chosen.
  Outcome chosen_outcome(const Item& item);

 private:
  std::set<std::pair<std::string, std::string>> m_seen;
};

// One function per part of a profile; each throws Error{usage} at the first mistake.
void read_encodings(const Item& root, Draft& draft);
void read_version(const Item& root, Draft& draft);
void read_task(const Item& root, Draft& draft);
void read_times(const Item& root, Draft& draft);
void read_classes(const Item& root, Draft& draft);
void read_liveness(const Item& root, Draft& draft);
void read_cancel_request(const Item& root, Draft& draft);
void read_evidence(const Item& root, Draft& draft);
void read_hazards(const Item& root, Draft& draft);
void read_rules(const Item& root, Draft& draft);
void read_thresholds(const Item& root, Draft& draft);
void read_defaults(const Item& root, Draft& draft);
void read_operations(const Item& root, Draft& draft);
void read_row_rules(const Item& root, Draft& draft);
/// What only shows once everything is read.
void check_draft(const Draft& draft);

}  // namespace taskctl

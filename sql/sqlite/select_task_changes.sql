-- Everything that any run did to one task, oldest first.
-- params: 1 the task as printed (text)
-- returns: id of the run, sequence, task, rule, outcome, operation, table_schema, table_name, row_key, row_before,
--          row_after, written, side_effects, applied_at
--          (row_before NULL: inserted; row_after NULL: deleted; texts, RFC 3339 in UTC with microseconds)
-- locks: none
SELECT c.run_id, c.sequence, c.task, c.rule, c.outcome, c.operation, c.table_schema, c.table_name, c.row_key,
       c.row_before, c.row_after, c.written, c.side_effects,
       c.applied_at
  FROM main.taskctl_changes c
 WHERE c.task = ?1
 ORDER BY c.applied_at, c.run_id, c.sequence;

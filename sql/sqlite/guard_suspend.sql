-- Lets the writes of this transaction pass every guard. Undone by guard_resume before the commit.
-- params: none
-- returns: nothing
-- locks: the row, in a transaction that holds the write lock anyway
INSERT OR REPLACE INTO main.taskctl_guard_state (off) VALUES (1)

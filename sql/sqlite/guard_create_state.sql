-- The switch by which taskctl's own writes pass. A row stands in it only inside a writing transaction of taskctl, which
-- holds the only write lock: no other connection ever sees it or writes under it.
-- params: none
-- returns: nothing
-- locks: catalogue only
CREATE TABLE IF NOT EXISTS main.taskctl_guard_state (off INTEGER PRIMARY KEY CHECK (off = 1))

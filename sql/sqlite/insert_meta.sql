-- One fact about the journal, once: what stands there already stays.
-- params: 1 name (text), 2 value (text)
-- returns: nothing
-- locks: one row
INSERT INTO main.taskctl_meta (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO NOTHING;

-- All rules for one kind of write. AFTER: it sees the row as other triggers left it.
-- params: none
-- returns: nothing
-- locks: SHARE ROW EXCLUSIVE on the table
CREATE TRIGGER {name} AFTER {event} ON {table} FOR EACH ROW EXECUTE FUNCTION {action}

-- All rules for one kind of write. The comment in it tells a later install and status what this was made from.
-- params: none
-- returns: nothing
-- locks: catalogue only
CREATE TRIGGER main.{name} AFTER {event} ON {table} FOR EACH ROW WHEN {condition}
BEGIN
  /* {mark} */ {action};
END

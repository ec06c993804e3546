"""T22, T33: sessions that may only read, and the timeouts of the session that writes, whatever was retried before."""
import collections

from campaign import NOW, Campaign, Options, Scenario, UNGUARDED, repair, require, subject_of
from oracle import differences
from plans import Saved

READING = (["list-stuck"], ["show", "t0"], ["stats"], ["history"], ["history", "show", "{run}"], ["history", "export"], ["guard", "status"],
           ["profile", "check"], ["plan", "show", "{plan}"], ["reconcile", "--now", NOW, "--max-age", "1", "--dry-run"],
           ["undo", "{run}", "--dry-run"], ["cancel", "t5", "--force", "--dry-run"])
WRITING = (["reconcile", "--now", NOW, "--max-age", "1"], ["reconcile", "--max-age", "1"], ["reconcile", "--plan", "{plan}"], ["cancel", "t4", "t5", "--force"],
           ["undo", "{run}"], ["resume", "{stopped}"], ["history", "prune", "--older-than", "1ms"], ["guard", "install"])


# Whose default it is → how it is set and taken back; the last one is the connection's own.
WHOSE = {"the database": "ALTER DATABASE {name} {how}", "the role": "ALTER ROLE CURRENT_USER IN DATABASE {name} {how}", "the connection": ""}
SETTING = "default_transaction_read_only"


def t22(options: Options):
    """Sessions of which default_transaction_read_only is on: reading works, writing ends with 5 before a backup is made."""
    with subject_of("postgres") as subject:
        subject.tasks(6)
        run = subject.run(*repair(subject.db), "--limit", "2", *UNGUARDED)
        stopped = subject.run(*repair(subject.db), *UNGUARDED, "--batch-size", "1", "--sleep", "60s", "--max-runtime", "2s")
        require((run.code, stopped.code) == (0, 12), f"two runs: {run}, {stopped}")
        saved, entries = Saved.of(subject), subject.journal()
        words = {"run": run.document["result"]["run"], "stopped": stopped.document["result"]["run"], "plan": str(saved.path)}
        campaign = Campaign("T22 a session that only reads postgres", options, 60)
        codes: collections.Counter = collections.Counter()
        for whose, statement in WHOSE.items():
            set_default(subject, statement, f"SET {SETTING} = on")
            db = subject.db if statement else f"{subject.db} options='-c {SETTING}=on'"
            for command, code in [(c, 0) for c in READING] + [([*c, "--yes"], 5) for c in WRITING]:
                outcome, wrong = reading_only(subject, [word.format(**words) for word in command] + ["--db", db], code)
                codes[outcome.code] += 1
                campaign.point(subject, f"{whose}: {' '.join(command)}", wrong)
            campaign.point(subject, f"{whose}: the rows", [f"T22 {d}" for d in differences(saved.before, subject.snapshot())])
            campaign.check(subject, f"{whose}: the journal", subject.journal() == entries, "T22 the journal is another")
            set_default(subject, statement, f"RESET {SETTING}")
        good = saved.apply()
        campaign.check(subject, "when it may write again", good.code == 0 and len(subject.journal()) > len(entries), f"T22 exit {good.code}: {good.stderr}")
        campaign.note("exits " + " ".join(f"{c}:{n}" for c, n in sorted(codes.items())))
        yield campaign


def set_default(subject, statement: str, how: str) -> None:
    if statement:
        subject.database.admin(statement.format(name=subject.database.name, how=how))


def reading_only(subject, arguments: list[str], code: int):
    copies = subject.folder.path / "copies"
    if code and arguments[0] in ("reconcile", "cancel", "undo", "resume"):
        arguments = [*arguments, "--backup", "rows", "--backup-dir", str(copies)]
    outcome = subject.run(*arguments)
    wrong = [] if outcome.code == code else [f"T22 exit {outcome.code}: {outcome.stderr[-300:]!r}"]
    if code and (SETTING not in outcome.stderr or "HINT" not in outcome.stderr):
        wrong.append(f"T22 it does not say why, and what to do: {outcome.stderr!r}")
    if copies.exists() and list(copies.iterdir()):
        wrong.append("T22 a backup was made for a repair that cannot be")
    return outcome, wrong


# Counts the writes of the session under test, compares its settings, and fails as it is told: at the write, or at COMMIT.
TRAPS = """
CREATE SCHEMA traps;
CREATE SEQUENCE traps.write; CREATE SEQUENCE traps.commit; CREATE SEQUENCE traps.wrong;
CREATE TABLE traps.forced (place text, hit bigint, state text, PRIMARY KEY (place, hit));
CREATE TABLE traps.expected (settings text);
CREATE FUNCTION traps.spring() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  hit_now bigint := nextval('traps.' || TG_ARGV[0]);
  found text := concat_ws(' ', current_setting('lock_timeout'), current_setting('statement_timeout'),
                          current_setting('idle_in_transaction_session_timeout'), current_setting('TimeZone'));
  wanted text := (SELECT settings FROM traps.expected);
  fate text := (SELECT state FROM traps.forced WHERE place = TG_ARGV[0] AND hit = hit_now);
BEGIN
  IF found <> wanted THEN
    PERFORM nextval('traps.wrong');
    RAISE EXCEPTION USING ERRCODE = 'TT001', MESSAGE = 'the settings are ' || found || ', not ' || wanted;
  END IF;
  IF fate = '57P01' THEN
    PERFORM pg_terminate_backend(pg_backend_pid());
  ELSIF fate IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = fate, MESSAGE = 'forced by the test';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER at_write BEFORE UPDATE ON task_queue FOR EACH ROW EXECUTE FUNCTION traps.spring('write');
CREATE CONSTRAINT TRIGGER at_commit AFTER UPDATE ON task_queue DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION traps.spring('commit');
"""
STATES = ("40001", "40P01", "55P03", "57P01")


def t33(options: Options):
    """Serialization failures, deadlocks, lock timeouts and lost sessions: after each the session has its timeouts again."""
    rng = options.rng("T33")
    with subject_of("postgres") as subject:
        scenario = Scenario(subject, "reconcile", options.scale(6, 12), 3)
        subject.sql(TRAPS)
        campaign = Campaign("T33 timeouts after retries postgres", options, 8)
        codes: collections.Counter = collections.Counter()
        forced, checked = 0, 0
        for number in range(options.scale(8, 200)):
            subject.reset()
            lock = rng.choice(["1s", "250ms"])
            single = number < 2 * len(STATES)  # each alone first, at the write and at COMMIT
            chosen = {(STATES[number % 4], ("write", "commit")[number // 4], rng.randint(1, 6))} if single else {
                (rng.choice(STATES), rng.choice(["write", "commit"]), rng.randint(1, options.scale(12, 30))) for _ in range(rng.randint(1, 8))}
            traps(subject, chosen, f"{lock} 5s 10s UTC")
            outcome = subject.run(*scenario.arguments(), *(["--lock-timeout", lock] if lock != "1s" else []), timeout=120)
            hits = int(subject.sql("SELECT (SELECT last_value FROM traps.write) + (SELECT last_value FROM traps.commit)"))
            strays = subject.sql("SELECT is_called FROM traps.wrong")
            codes[outcome.code] += 1
            checked += hits
            forced += sprung(subject)
            traps(subject, set(), "")
            # One failure is overcome; more of them may leave tasks for the next run, which is said.
            honest = (0,) if single else (0, 3, 6, 8, 9)
            wrong = [f"T33 other settings: {outcome.stderr[-400:]!r}"] if strays != "f" or "TT001" in outcome.stderr else []
            if outcome.code not in honest or hits < 2:
                wrong.append(f"T33 exit {outcome.code}, {hits} writes: {outcome.stderr[-400:]!r}")
            campaign.point(subject, f"{sorted(chosen)}, lock timeout {lock}", wrong + scenario.settle(outcome))
        require(forced >= campaign.points, f"only {forced} failures were forced in {campaign.points} runs")
        campaign.note(f"{forced} forced failures, settings read at {checked} writes, exits " + " ".join(f"{c}:{n}" for c, n in sorted(codes.items())))
        yield campaign


def traps(subject, chosen: set, settings: str) -> None:
    """Without settings nothing is compared: the command line of what comes then is another."""
    subject.wait_until_idle()
    rows = "".join(f"INSERT INTO traps.forced VALUES ('{place}', {hit}, '{state}') ON CONFLICT DO NOTHING;" for state, place, hit in chosen)
    expected = f"INSERT INTO traps.expected VALUES ('{settings}');" if settings else ""
    subject.sql("ALTER SEQUENCE traps.write RESTART; ALTER SEQUENCE traps.commit RESTART; ALTER SEQUENCE traps.wrong RESTART;"
                "DELETE FROM traps.forced; DELETE FROM traps.expected;" + rows + expected)


def sprung(subject) -> int:
    """Traps that the run has come to."""
    return int(subject.sql("SELECT count(*) FROM traps.forced f WHERE hit <= CASE place WHEN 'write' THEN (SELECT last_value FROM traps.write) "
                           "ELSE (SELECT last_value FROM traps.commit) END"))

"""Random databases: tables and columns with odd names, every column type, values at the edges, and a profile that fits."""
import dataclasses
import datetime
import json
import random

NAMES = ["plain", "two words", 'quo"te', "it's", "semi;colon", "über", "名前", "percent%", "under_score", "UPPER", "dash--dash",
         "back\\slash", "brace{x}", "dollar$1", "colon:now", "dot.ted", "select", "a/*b*/", "tab\tbed", "q?mark"]

REALS = ["0.1", "-0.0", "1e308", "5e-324", "2.2250738585072014e-308", "1.7976931348623157e308", "9e999", "-9e999", "123456789.123456789",
         "0.30000000000000004", "100.0", "9007199254740993.0"]
INTEGERS = ["0", "-1", "9223372036854775807", "-9223372036854775808", "9007199254740993"]

SQLITE_VALUES = [
    lambda rng: "NULL",
    lambda rng: rng.choice(INTEGERS),
    lambda rng: rng.choice(REALS),
    lambda rng: f"x'{rng.randbytes(rng.choice([0, 1, 7, 300])).hex()}'",
    lambda rng: f"CAST(x'{rng.choice(['ff', 'c328', 'f09f98', '61ff62'])}' AS TEXT)",
    lambda rng: f"CAST(x'{rng.choice(['6100ff', '610062', '00'])}' AS TEXT)",
    lambda rng: literal(some_text(rng)),
    lambda rng: literal("2025-12-18 10:00:00"),
]

# type → values; anything that PostgreSQL can put into a column
POSTGRES_TYPES = {
    "smallint": ["-32768", "32767"], "integer": ["0", "-2147483648"], "bigint": ["9223372036854775807", "-9223372036854775808"],
    "numeric": ["'NaN'", "1.50", "1e-100", "123456789012345678901234567890.123456789"], "numeric(12,4)": ["1.5", "-99999999.9999"],
    "real": ["'NaN'", "'Infinity'", "'-0'", "1.1", "3.4028235e38"],
    "double precision": ["'NaN'", "'-Infinity'", "'-0'", "0.1", "5e-324", "1.7976931348623157e308"],
    "text": ["''", "E'a\\tb\\nc\\\\d'", "'NULL'", "'\\N'", "repeat('x', 5000)", "'名前 ☃ 😀'", "'{\"a\": 1}'"],
    "varchar(20)": ["'twenty letters at  m'", "''"], "char(5)": ["'ab'", "''"], "\"char\"": ["'x'", "''"], "name": ["'n'"],
    "bytea": ["'\\x'", "'\\x00ff5c27'", "'abc\\\\000'"], "boolean": ["true", "false"],
    "date": ["'infinity'", "'0044-03-15 BC'", "'2025-03-30'"], "time": ["'24:00'", "'12:00:00.000001'"],
    "timetz": ["'12:00+05:30'"], "timestamp": ["'-infinity'", "'2025-03-30 02:30'", "'1999-12-31 23:59:59.999999'"],
    "timestamptz": ["'infinity'", "'2025-10-26 02:30+01'", "'4713-01-01 BC'"],
    "interval": ["'1 year 2 mons -3 days 04:05:06.789'", "'-1 day'", "'00:00'"], "uuid": ["'00000000-0000-0000-0000-00000000000f'"],
    "json": ["'{\"b\":1,  \"a\":[null, 1.0]}'", "'\"\\u2603\"'", "'null'"], "jsonb": ["'{\"b\":1,\"a\":[null,1.0]}'", "'[]'", "'null'"],
    "integer[]": ["'{1,NULL,3}'", "'{}'", "'[0:1]={5,6}'"], "text[]": ["'{\"a,b\",\"\\\"\",NULL,\"NULL\",\"\"}'"],
    "jsonb[]": ["ARRAY['{\"a\":1}'::jsonb, NULL]"], "inet": ["'10.0.0.1/8'", "'::1'"], "cidr": ["'10.0.0.0/8'"],
    "macaddr": ["'08:00:2b:01:02:03'"], "bit(5)": ["B'10101'"], "varbit": ["B''", "B'101'"], "point": ["'(1.5,-2)'"],
    "box": ["'(1,1),(0,0)'"], "int4range": ["'[1,5)'", "'empty'", "'(,3]'"], "tstzrange": ["'[2025-01-01, infinity)'"],
    "money": ["'-1.50'"], "tsvector": ["'a:1 ''b c'':2'"], "tsquery": ["'a & !b'"], "xml": ["'<a b=\"c\"/>'"], "oid": ["4294967295"],
    "mood": ["'so so'", "'it''s'"], "pair": ["'(1,\"a b\")'", "'(,)'"], "short": ["'ab'"],
}
POSTGRES_MORE = ("CREATE TYPE mood AS ENUM ('so so', 'it''s'); CREATE TYPE pair AS (one int, two text); "
                 "CREATE DOMAIN short AS text CHECK (length(value) < 5);")


@dataclasses.dataclass
class Design:
    """One random schema with its rows and profile."""
    sql: str
    profile: str
    stuck: int
    deletes: bool


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def some_text(rng: random.Random) -> str:
    length = rng.choice([0, 1, 20, 5000])
    return "".join(rng.choice("abc 'é\"\\\n\t名😀{}%_;$:?") for _ in range(length))


def toml(value) -> str:
    """A basic string: JSON's escapes are TOML's, as long as letters stay as they are."""
    return json.dumps(value, ensure_ascii=False)


def design(rng: random.Random, engine: str) -> Design:
    names = rng.sample(NAMES, 12)
    if "dot.ted" in names[:2]:  # in the name of a table a dot ends the schema
        names = [n for n in names if n != "dot.ted"] + ["dotless"]
    table, companion, key, status, began, ended, problem, *extra_names = names
    key_type = rng.choice(["integer", "text", "bigint"])
    extras = [(name, *extra_type(rng, engine)) for name in extra_names]
    numeric_time = rng.random() < 0.5
    time_type = "bigint" if numeric_time else ("text" if engine == "sqlite" or rng.random() < 0.5 else "timestamptz")
    # What a repair throws away is what its undo has to bring back: half of the odd columns are set to NULL.
    cleared = [name for name, _, _ in extras if rng.random() < 0.5]
    deletes = rng.random() < 0.4
    sql = [POSTGRES_MORE] if engine == "postgres" else []
    columns = [f"{quoted(key)} {key_type} PRIMARY KEY NOT NULL", f"{quoted(status)} text", f"{quoted(began)} {time_type}",
               f"{quoted(ended)} {time_type}", f"{quoted(problem)} text", *[f"{quoted(n)} {t}" for n, t, _ in extras]]
    without = " WITHOUT ROWID" if engine == "sqlite" and rng.random() < 0.3 else ""
    sql.append(f"CREATE TABLE {quoted(table)} ({', '.join(columns)}){without};")
    sql.append(f"CREATE TABLE {quoted(companion)} (id integer PRIMARY KEY, task {key_type}, {', '.join(f'{quoted(n)} {t}' for n, t, _ in extras)});")
    stuck = 0
    for i in range(rng.randint(3, 25)):
        wrong = rng.random() < 0.6
        stuck += wrong
        row_status, finished = rng.choice([("running", False), ("running", True)]) if wrong else rng.choice([("done", True), ("waiting", False)])
        identity = str(i * 7 - 3) if key_type != "text" else literal(rng.choice(["k", "'", "é", "[1,", "%", "-"]) + str(i))
        values = [identity, literal(row_status), a_time(time_type, rng), a_time(time_type, rng, later=True) if finished else "NULL",
                  rng.choice(["NULL", literal(some_text(rng)[:50])]), *[value(rng) for _, _, value in extras]]
        sql.append(f"INSERT INTO {quoted(table)} VALUES ({', '.join(values)});")
        sql.append(f"INSERT INTO {quoted(companion)} VALUES ({i}, {identity}, {', '.join(value(rng) for _, _, value in extras)});")
    return Design("\n".join(sql), profile(engine, names, time_type, cleared, deletes), stuck, deletes)


def extra_type(rng: random.Random, engine: str) -> tuple:
    if engine == "sqlite":
        return rng.choice(["", "TEXT", "BLOB", "INTEGER", "REAL", "NUMERIC", "TIMESTAMP"]), lambda r: r.choice(SQLITE_VALUES)(r)
    kind = rng.choice(list(POSTGRES_TYPES))
    return kind, lambda r: "NULL" if r.random() < 0.2 else r.choice(POSTGRES_TYPES[kind])


def a_time(kind: str, rng: random.Random, later: bool = False) -> str:
    seconds = rng.randrange(1_700_000_000, 1_750_000_000) + (5_000_000 if later else 0)
    if kind == "bigint":
        return str(seconds)
    if kind == "timestamptz":
        return f"to_timestamp({seconds}.{rng.randrange(10**6):06d})"
    day, rest = divmod(seconds, 86400)
    date = datetime.date.fromordinal(719163 + day)
    return literal(f"{date}T{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}")


def profile(engine: str, names: list[str], time_type: str, cleared: list[str], deletes: bool) -> str:
    table, companion, key, status, began, ended, problem, *_ = names
    encoding = {"bigint": 'format = "unix-s"', "timestamptz": 'format = "timestamptz"'}.get(time_type, 'format = "text"\nzone = "UTC"')
    sets = {status: "'broken'", ended: f"coalesce({quoted(ended)}, :now)", problem: ":reason", **{name: "NULL" for name in cleared}}
    task_table, other = toml(table), toml(companion)
    lines = ["format = 1", 'name = "random"', f'engines = ["{engine}"]', 'safety = "full"', "[task]", f"table = {task_table}",
             f"key = [{toml(key)}]", f"status = {toml(status)}", "[task.time]", f"started = {toml(began)}", f"finished = {toml(ended)}",
             "[encoding.one]", encoding, f"[times.{task_table}]", f'{toml(began)} = "one"', f'{toml(ended)} = "one"', "[[class]]",
             f"column = {toml(status)}", 'queued = ["waiting"]', 'active = ["running"]', 'succeeded = ["done"]', 'failed = ["broken"]',
             "[thresholds]", 'reap = "1h"', 'max_age = "1h"',
             "[defaults]", 'contradiction = "failed"', 'overdue = "failed"', "[[outcome.failed.op]]", 'do = "update"',
             "set = { " + ", ".join(f"{toml(n)} = {toml(v)}" for n, v in sets.items()) + " }", "[[outcome.failed.op]]",
             f'do = "{"delete" if deletes else "update"}"', f"table = {other}", f'match = {{ task = {toml(key)} }}']
    if not deletes:
        lines.append("set = { " + ", ".join(f'{toml(n)} = "NULL"' for n in (cleared or names[7:8])) + " }")
    return "\n".join(lines) + "\n"

"""What one would write instead: the stuck tasks of a small SQLite queue, with a script."""
import argparse
import sqlite3
from datetime import datetime, timedelta

parser = argparse.ArgumentParser()
parser.add_argument("--version", action="version", version="1.0")
parser.add_argument("--db")
parser.add_argument("--now")
arguments = parser.parse_args()
local = datetime.fromisoformat(arguments.now.replace("Z", "")) + timedelta(hours=8)
connection = sqlite3.connect(f"file:{arguments.db}?mode=ro", uri=True)
for row in connection.execute(
        "SELECT task_id, task_type, status, started_at FROM task_queue WHERE status = 'running' AND started_at < ?",
        ((local - timedelta(hours=1)).isoformat(),)):
    print(*row)

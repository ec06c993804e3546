"""T24, T25: wrong clocks, and times in every encoding and zone, both nights of a change of summer time included."""
import re
import subprocess

from oracle import Outcome
from subjects import TASKCTL

# faketime's own units; its "M" is a month to nobody.
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "y": 365 * 86400}


def at_clock(subject, offset: str, *arguments: str) -> Outcome:
    """taskctl with a machine clock that is wrong by '+61m' or '-1y'."""
    number, unit = re.fullmatch(r"([+-]\d+)([smhdy])", offset).groups()
    # Not the monotonic clock: that one is never set.
    env = dict(subject.folder.env, FAKETIME_DONT_FAKE_MONOTONIC="1")
    result = subprocess.run(["faketime", "-f", f"{int(number) * UNITS[unit]:+d}s", TASKCTL, *arguments], env=env, cwd=subject.folder.path,
                            capture_output=True, text=True, timeout=60, check=False)
    return Outcome(result.returncode, result.stdout, result.stderr)

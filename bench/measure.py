"""Times whole processes from outside: wall clock, processor time and peak memory, as the kernel accounts them."""
import os
import statistics
import subprocess
import time
from dataclasses import dataclass, field


@dataclass
class Sample:
    wall: float  # seconds
    cpu: float  # seconds of this process and its children
    memory: int  # bytes, of the largest process


@dataclass
class Line:
    """One line of the table."""

    what: str
    goal: str
    ours: str = "-"
    theirs: str = "-"
    figure: str = "-"
    met: bool = False


class Failed(Exception):
    pass


def run(command, expect=(0,), stdin=None, env=None):
    """Runs the command, a list or a shell line, and measures it. Its output goes to a file, as an operator's would."""
    words = command if isinstance(command, list) else ["bash", "-c", command]
    with open("output", "wb") as output, open("errors", "wb") as errors:
        began = time.monotonic()
        process = subprocess.Popen(words, stdin=stdin or subprocess.DEVNULL, stdout=output, stderr=errors, env=env)
        _, status, used = os.wait4(process.pid, 0)
        wall = time.monotonic() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in expect:
        with open("errors", encoding="utf-8", errors="replace") as errors:
            raise Failed(f"{command} ended with {process.returncode}: {errors.read()[-2000:]}")
    return Sample(wall, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024)


@dataclass
class Pairs:
    """Runs of two commands in turn, A B A B …: what slows the machine down for a while slows both."""

    ours: list = field(default_factory=list)
    theirs: list = field(default_factory=list)

    def ratio(self):
        return statistics.median(a.wall / b.wall for a, b in zip(self.ours, self.theirs))

    def cpu_ratio(self):
        return statistics.median(a.cpu / max(b.cpu, 1e-4) for a, b in zip(self.ours, self.theirs))


def in_turn(runs, ours, theirs, warm_up=True):
    """`ours` and `theirs` are functions that return a Sample; what they prepare themselves is not measured."""
    pairs = Pairs()
    for i in range(runs + (1 if warm_up else 0)):
        a, b = ours(), theirs()
        if i > 0 or not warm_up:
            pairs.ours.append(a)
            pairs.theirs.append(b)
    return pairs


def seconds(samples):
    walls = sorted(sample.wall for sample in samples)
    if walls[-1] < 0.1:
        return f"{statistics.median(walls) * 1000:.1f} ms ({walls[0] * 1000:.1f}-{walls[-1] * 1000:.1f})"
    return f"{statistics.median(walls):.2f} s ({walls[0]:.2f}-{walls[-1]:.2f})"


def compared(what, pairs, limit):
    """A line of `pairs`, whose ratio of wall times should be at most `limit`."""
    ratio = pairs.ratio()
    return Line(what, f"≤ {limit}x", seconds(pairs.ours), seconds(pairs.theirs),
                f"{ratio:.2f}x (processor {pairs.cpu_ratio():.2f}x)", ratio <= limit)


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0

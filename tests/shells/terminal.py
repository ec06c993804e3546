"""A program in a terminal of its own, driven by what is typed and read as it is shown."""
import os
import pty
import re
import select
import signal
import struct
import fcntl
import termios
import time

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]|\x1b[()][A-Z0-9]|\x1b[=>]|\x1b\][^\x07]*\x07|\r")


class Terminal:
    def __init__(self, arguments: list[str], environment: dict[str, str], folder: str) -> None:
        self.pid, self.descriptor = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.execvpe(arguments[0], arguments, environment)
        fcntl.ioctl(self.descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 160, 0, 0))
        self.shown = ""
        self.last = ""

    def type(self, text: str) -> None:
        os.write(self.descriptor, text.encode())

    def read_until(self, wanted: str, seconds: float = 20) -> str:
        """What was shown since the last call, up to and with `wanted` (a regular expression); also kept in `last`."""
        self.last = ""
        end = time.monotonic() + seconds
        while not (found := re.search(wanted, self.shown)):
            left = end - time.monotonic()
            if left <= 0 or not self.read_more(left):
                raise AssertionError(f"did not show {wanted!r}, but:\n{self.shown}")
        self.last, self.shown = self.shown[:found.end()], self.shown[found.end():]
        return self.last

    def read_more(self, seconds: float) -> bool:
        ready, _, _ = select.select([self.descriptor], [], [], seconds)
        if not ready:
            return False
        try:
            piece = os.read(self.descriptor, 65536)
        except OSError:
            return False
        self.shown += ESCAPES.sub("", piece.decode("utf-8", "replace"))
        return bool(piece)

    def settle(self, seconds: float) -> str:
        """What is shown until nothing came for so long."""
        while self.read_more(seconds):
            pass
        seen, self.shown = self.shown, ""
        return seen

    def close(self) -> None:
        try:
            os.kill(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        os.waitpid(self.pid, 0)
        os.close(self.descriptor)

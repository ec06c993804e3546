"""A TCP proxy in front of the test server that breaks connections where it is told to."""
import os
import socket
import threading
import time


class Proxy:
    """Forwards bytes; what a subclass's passes() does not let through ends the connection."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.sockets: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def db(self, name: str) -> str:
        return f"host=127.0.0.1 port={self.port} sslmode=disable gssencmode=disable dbname={name}"

    def passes(self, source: socket.socket, target: socket.socket, data: bytes, outward: bool) -> bool:
        raise NotImplementedError

    def close(self) -> None:
        self._listener.close()
        for one in self.sockets:
            self.shut(one)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection((os.environ["PGHOST"], int(os.environ["PGPORT"])))
            except OSError:
                client.close()
                continue
            self.sockets += [client, server]
            threading.Thread(target=self._pump, args=(client, server, True), daemon=True).start()
            threading.Thread(target=self._pump, args=(server, client, False), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket, outward: bool) -> None:
        try:
            while data := source.recv(65536):
                if not self.passes(source, target, data, outward):
                    break
                target.sendall(data)
        except OSError:
            pass
        self.shut(source)
        self.shut(target)

    @staticmethod
    def shut(end: socket.socket) -> None:
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


class CommitBreaker(Proxy):
    """Breaks a connection when it commits for the n-th time: after the server has it, or before."""

    def __init__(self, commit: int, forward: bool) -> None:
        self._commit, self._forward, self.commits = commit, forward, 0
        super().__init__()

    def passes(self, source: socket.socket, target: socket.socket, data: bytes, outward: bool) -> bool:
        if not outward or b"COMMIT\0" not in data:
            return True
        self.commits += 1
        if self.commits != self._commit:
            return True
        if self._forward:
            source.shutdown(socket.SHUT_WR)  # no answer gets through
            target.sendall(data)
            time.sleep(0.5)
        return False


class ByteCutter(Proxy):
    """Breaks every connection after so many bytes in both directions together: by its end, or by silence."""

    def __init__(self, after: int, silent: bool) -> None:
        self._left, self._silent, self.cut = after, silent, False
        self.bytes = 0
        self._lock = threading.Lock()
        self._released = threading.Event()
        super().__init__()

    def passes(self, source: socket.socket, target: socket.socket, data: bytes, outward: bool) -> bool:
        with self._lock:
            room, self._left = self._left, self._left - len(data)
            self.bytes += len(data)
        if room >= len(data) or self.cut and not self._silent:
            return True  # what connects again finds the network as it was
        self.cut = True
        target.sendall(data[:max(room, 0)])
        if self._silent:
            self._released.wait(120)
            return False
        return False

    def close(self) -> None:
        self._released.set()
        super().close()

"""A process beside ours that is begun again when it ends. In: a command, what it reads. Out: it runs until ``close``.

Killed or broken, it comes back after a pause, which grows while it does not last.
"""

import subprocess
import threading
import time
from collections.abc import Sequence
from contextlib import suppress

PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0
LASTED_S = 60.0
"""How long a process must have lived for the next pause to be short again."""


class Lasting:
    """A process of its own session, so that Ctrl-C is for us alone; ``given`` is its standard input."""

    def __init__(self, command: Sequence[str], given: bytes) -> None:
        self._command = command
        self._given = given
        self._over = threading.Event()
        self._beginning = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._watching = threading.Thread(target=self._watch, daemon=True)

    @property
    def pid(self) -> int:
        """The process' number, 0 before it began."""
        return self._process.pid if self._process is not None else 0

    def start(self) -> None:
        """Begin."""
        self._begin()
        self._watching.start()

    def close(self) -> None:
        """End the process, and begin no other."""
        with self._beginning:
            self._over.set()
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
        if self._watching.is_alive():
            self._watching.join()

    def _begin(self) -> None:
        with self._beginning:
            if self._over.is_set():
                return
            process = subprocess.Popen(self._command, stdin=subprocess.PIPE, start_new_session=True)
            self._process = process
        if process.stdin is not None:
            with suppress(BrokenPipeError):  # it has ended already
                process.stdin.write(self._given)
                process.stdin.close()

    def _watch(self) -> None:
        pause_s = PAUSE_S
        while self._process is not None and not self._over.is_set():
            began = time.monotonic()
            self._process.wait()
            if self._over.wait(pause_s):
                return
            pause_s = PAUSE_S if time.monotonic() - began > LASTED_S else min(2 * pause_s, LONGEST_PAUSE_S)
            self._begin()

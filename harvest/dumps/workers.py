"""Pieces read by several processes at once. In: pieces. Out: what was read of each, in their order.

A worker gets a piece by a pipe; the bytes of a gzip piece lie in memory that both see. A worker whose parent is gone
ends by itself: its pipe is closed.
"""

import multiprocessing
import signal
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection, wait
from multiprocessing.shared_memory import SharedMemory
from typing import Any, cast

from harvest.dumps.bzip2 import Damage
from harvest.dumps.lines import NEITHER_END, Lines, needle, split
from harvest.dumps.pieces import Piece, Place
from harvest.dumps.statements import Reader, Wanted, batch_of
from linkeddata.errors import DeBoodtError

SLOT = 4 << 20
"""Bytes of shared memory a piece; a larger one goes through the pipe."""
AHEAD = 2
"""Pieces for each worker that may be on the way or done before their turn."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """A line that is lost: its number and place among the whole lines of its piece, and why."""

    number: int
    at: int
    why: str


@dataclass(slots=True)
class Taken:
    """What was read of one piece."""

    head: bytes = b""
    tail: bytes | None = None
    count: int = 0
    size: int = 0
    rows: Any = None  # an Arrow record batch, or None for no rows
    troubles: list[Trouble] = field(default_factory=list)
    brackets: list[tuple[int, bytes]] = field(default_factory=list)
    damages: list[Trouble] = field(default_factory=list)  # numbered by the line ends before them
    after: Place = field(default_factory=Place)
    done: int = 0


class Taker:
    """Reads pieces, one after the other."""

    def __init__(self, wanted: Wanted) -> None:
        self.reader = Reader(wanted)
        self._needle = needle(wanted.word)

    def take(self, piece: Piece) -> Taken:
        """Return what a piece holds. Raises ``OSError``."""
        data, damages = piece.load()
        lines = split(data, self._needle)
        taken = Taken(lines.head, lines.tail, lines.count, len(data), brackets=lines.brackets)
        taken.damages = [_located(damage, data) for damage in damages]
        taken.after, taken.done = piece.after, piece.done
        self._parse(lines, data, taken)
        return taken

    def _parse(self, lines: Lines, data: bytes, taken: Taken) -> None:
        broken = {at: Trouble(number, at, NEITHER_END) for number, at in lines.odd}
        rows = []
        for line, at in zip(lines.wanted, lines.at, strict=True):
            if at in broken:
                continue
            try:
                rows += self.reader.rows(line)
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                number = data.count(b"\n", 0, at) - 1
                broken[at] = Trouble(number, at, str(error))
        taken.troubles = [broken[at] for at in sorted(broken)]
        if rows:
            taken.rows = batch_of(rows, self.reader.wanted.schema)


def _located(damage: Damage, data: bytes) -> Trouble:
    return Trouble(data.count(b"\n", 0, damage.place), damage.place, f"{damage.why}, at byte {damage.byte} of the file")


def take_all(pieces: Iterable[Piece], wanted: Wanted, workers: int) -> Iterator[Taken]:
    """Yield what was read of each piece, in order; without workers, in this process. Raises ``OSError``."""
    if workers:
        with _Workers(wanted, workers) as together:
            yield from together.take_all(pieces)
        return
    taker = Taker(wanted)
    for piece in pieces:
        yield taker.take(piece)


class _Workers:
    """Processes that take pieces; closed, they end."""

    def __init__(self, wanted: Wanted, processes: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._slots = [SharedMemory(create=True, size=SLOT) for _ in range(AHEAD * processes)]
        self._free = deque(range(len(self._slots)))
        self._pipes: list[Connection] = []
        self._processes = []
        names = [slot.name for slot in self._slots]
        for _ in range(processes):
            ours, theirs = context.Pipe()
            process = context.Process(target=_work, args=(theirs, wanted, names), daemon=True)
            process.start()
            theirs.close()
            self._pipes.append(ours)
            self._processes.append(process)

    def __enter__(self) -> "_Workers":
        return self

    def __exit__(self, *_: object) -> None:
        for pipe in self._pipes:
            pipe.close()
        for process in self._processes:
            process.join(timeout=10)
            if process.is_alive():
                process.kill()
                process.join()
        for slot in self._slots:
            slot.close()
            slot.unlink()

    def take_all(self, pieces: Iterable[Piece]) -> Iterator[Taken]:
        """Yield what was taken of each piece, in order."""
        idle = list(self._pipes)
        busy: dict[Connection, tuple[int, int]] = {}  # pipe → number of the piece, slot
        done: dict[int, Taken] = {}
        turn = 0
        for number, piece in enumerate(pieces):
            while not idle or not self._free:
                self._collect(busy, idle, done)
            pipe = idle.pop()
            busy[pipe] = number, self._send(pipe, piece)
            while len(done) + len(busy) >= AHEAD * len(self._pipes) and turn not in done:
                self._collect(busy, idle, done)
            while turn in done:
                yield done.pop(turn)
                turn += 1
        while busy or done:
            while turn not in done:
                self._collect(busy, idle, done)
            yield done.pop(turn)
            turn += 1

    def _send(self, pipe: Connection, piece: Piece) -> int:
        slot = self._free.popleft()
        size = len(piece.data)
        if 0 < size <= SLOT:
            cast(memoryview, self._slots[slot].buf)[:size] = piece.data
            pipe.send((replace(piece, data=b""), slot, size))
        else:
            pipe.send((piece, -1, 0))
        return slot

    def _collect(self, busy: dict[Connection, tuple[int, int]], idle: list[Connection], done: dict[int, Taken]) -> None:
        """Wait for workers, and take in what they have."""
        for pipe in cast(list[Connection], wait(list(busy))):
            number, slot = busy.pop(pipe)
            try:
                told = pipe.recv()
            except (EOFError, ConnectionError) as error:
                raise DeBoodtError("a process that read the dump was killed; the same command goes on") from error
            if isinstance(told, Exception):
                raise told
            done[number] = told
            idle.append(pipe)
            self._free.append(slot)


def _work(pipe: Connection, wanted: Wanted, names: list[str]) -> None:
    """Take pieces until the pipe is closed: what a worker does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears it, too, and closes the pipe
    slots = [SharedMemory(name=name) for name in names]
    taker = Taker(wanted)
    while True:
        try:
            piece, slot, size = pipe.recv()
        except (EOFError, OSError):
            break
        if slot >= 0:
            piece = replace(piece, data=bytes(slots[slot].buf[:size]))
        try:
            told: Taken | Exception = taker.take(piece)
        except Exception as error:  # whatever it is, the parent must hear of it
            told = error
        try:
            pipe.send(told)
        except (BrokenPipeError, ConnectionError):
            break
    for shared in slots:
        shared.close()

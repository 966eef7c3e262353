"""Pieces read by several processes at once. In: pieces. Out: what was read of each, in their order.

A worker gets a piece by a pipe; the bytes of a gzip piece lie in memory that both see. Who hands out the pieces takes
those itself for which no worker has time, or has started yet. A worker whose parent is gone ends by itself: its pipe
is closed.
"""

import multiprocessing
import signal
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection, wait
from multiprocessing.shared_memory import SharedMemory
from typing import cast

from harvest.dumps.bzip2 import Damage
from harvest.dumps.lines import NEITHER_END, Lines, needle, split
from harvest.dumps.pieces import Piece, Place
from harvest.dumps.statements import Reader, Row, Wanted
from linkeddata.errors import DeBoodtError

SLOT = 4 << 20
"""Bytes of shared memory a piece; a larger one is not given away."""
AHEAD = 2
"""Pieces that a worker has at a time: the next lies there when one is done."""
WAITING = 64
"""Pieces that are read and wait for an earlier one, at most: a worker that is held up holds nobody else up so soon."""


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
    rows: list[Row] = field(default_factory=list)
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
        rows = taken.rows
        for line, at in zip(lines.wanted, lines.at, strict=True):
            if at in broken:
                continue
            try:
                rows += self.reader.rows(line)
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                number = data.count(b"\n", 0, at) - 1
                broken[at] = Trouble(number, at, str(error))
        taken.troubles = [broken[at] for at in sorted(broken)]


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
        self._wanted = wanted
        self._slots = [SharedMemory(create=True, size=SLOT) for _ in range(AHEAD * processes)]
        self._free = deque(range(len(self._slots)))
        self._pipes: list[Connection] = []
        self._processes = []
        self._idle: deque[Connection] = deque()  # a worker stands here once for each piece that it could be given
        self._busy: dict[Connection, deque[tuple[int, int]]] = {}  # numbers and slots of the pieces it has, in order
        names = [slot.name for slot in self._slots]
        for _ in range(processes):
            ours, theirs = context.Pipe()
            process = context.Process(target=_work, args=(theirs, wanted, names), daemon=True)
            process.start()
            theirs.close()
            self._pipes.append(ours)
            self._busy[ours] = deque()
            self._processes.append(process)
        self._starting = list(self._pipes)

    def __enter__(self) -> "_Workers":
        return self

    def __exit__(self, *_: object) -> None:
        for pipe in self._pipes:
            pipe.close()
        for process in self._processes:
            process.kill()  # it has nothing that is not told, and may not even have started
            process.join()
        for slot in self._slots:
            slot.close()
            slot.unlink()

    def take_all(self, pieces: Iterable[Piece]) -> Iterator[Taken]:
        """Yield what was taken of each piece, in order; what no worker has time for is taken here."""
        own = Taker(self._wanted)
        done: dict[int, Taken] = {}
        turn = 0
        for number, piece in enumerate(pieces):
            self._greet()
            self._collect(done, wait_for_one=False)
            if self._idle and len(piece.data) <= SLOT:
                self._send(number, piece)
            else:
                done[number] = own.take(piece)
            while len(done) > WAITING and turn not in done:
                self._collect(done)
            while turn in done:
                yield done.pop(turn)
                turn += 1
        while done or any(self._busy.values()):
            while turn not in done:
                self._collect(done)
            yield done.pop(turn)
            turn += 1

    def _greet(self) -> None:
        """Take in the workers that have started meanwhile."""
        for pipe in cast(list[Connection], wait(self._starting, timeout=0)) if self._starting else ():
            _heard(pipe)
            self._starting.remove(pipe)
            self._idle.extend([pipe] * AHEAD)

    def _send(self, number: int, piece: Piece) -> None:
        """Give a piece to a worker that has not enough to do."""
        pipe, slot = self._idle.popleft(), self._free.popleft()
        size = len(piece.data)
        cast(memoryview, self._slots[slot].buf)[:size] = piece.data
        self._busy[pipe].append((number, slot))
        # So short that it always fits into the pipe: nobody waits for somebody who waits for him.
        pipe.send((replace(piece, data=b""), slot, size))

    def _collect(self, done: dict[int, Taken], wait_for_one: bool = True) -> None:
        """Take in what workers have, and where told so wait for the first."""
        working = [pipe for pipe, given in self._busy.items() if given]
        for pipe in cast(list[Connection], wait(working, timeout=None if wait_for_one else 0)) if working else ():
            told = _heard(pipe)
            if isinstance(told, Exception):
                raise told
            number, slot = self._busy[pipe].popleft()
            done[number] = cast(Taken, told)
            self._idle.append(pipe)
            self._free.append(slot)


def _heard(pipe: Connection) -> object:
    """Return what a worker says."""
    try:
        return pipe.recv()
    except (EOFError, ConnectionError) as error:
        raise DeBoodtError("a process that read the dump was killed; the same command goes on") from error


def _work(pipe: Connection, wanted: Wanted, names: list[str]) -> None:
    """Take pieces until the pipe is closed: what a worker does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears it, too, and closes the pipe
    slots = [SharedMemory(name=name) for name in names]
    taker = Taker(wanted)
    if not _sent(pipe, None):  # ready
        return
    while True:
        try:
            piece, slot, size = pipe.recv()
        except (EOFError, OSError):
            break
        if size:
            piece = replace(piece, data=bytes(slots[slot].buf[:size]))
        try:
            told: Taken | Exception = taker.take(piece)
        except Exception as error:  # whatever it is, the parent must hear of it
            told = error
        if not _sent(pipe, told):
            break
    for shared in slots:
        shared.close()


def _sent(pipe: Connection, told: object) -> bool:
    """Tell the parent; say whether it is still there."""
    try:
        pipe.send(told)
    except (BrokenPipeError, ConnectionError):
        return False
    return True

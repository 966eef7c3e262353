"""Asks a server over loopback as fast as it answers. In: addresses, connections. Out: requests/s, latencies, bytes.

``python -m benchmarks._load HOST PORT SECONDS CONNECTIONS`` reads one path a line on stdin and asks for them in turn,
over connections that stay open, one request at a time on each; a process of its own, so that it does not share the
server's interpreter. The answer's length comes from ``Content-Length``; any status but 200 ends the run. The result is
one JSON line.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle


@dataclass(frozen=True, slots=True)
class Load:
    """What one run saw: answers per second, latencies in milliseconds, bytes of bodies."""

    rate: float
    p50_ms: float
    p99_ms: float
    answers: int
    bytes_each: float


def load(port: int, paths: Sequence[str], *, seconds: float, connections: int = 4, accept: str = "") -> Load:
    """Ask for the paths, over and over, for so many seconds, from a process of its own."""
    command = [sys.executable, "-m", "benchmarks._load", "127.0.0.1", str(port), str(seconds), str(connections), accept]
    done = subprocess.run(command, input="\n".join(paths), text=True, capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr.strip()[-1000:])
    return Load(**json.loads(done.stdout))


class _Connection(asyncio.Protocol):
    """One connection: sends a request, waits for all of its answer, sends the next."""

    def __init__(self, requests: Iterator[bytes], until: float, latencies: list[float]) -> None:
        self._requests = requests
        self._until = until
        self._latencies = latencies
        self._missing = -1
        self._read = b""
        self.bytes = 0
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._ask()

    def _ask(self) -> None:
        self._begun = time.perf_counter()
        self._transport.write(next(self._requests))

    def data_received(self, data: bytes) -> None:
        if self._missing < 0:
            self._read += data
            end = self._read.find(b"\r\n\r\n")
            if end < 0:
                return
            head = self._read[:end].lower()
            if not head.startswith(b"http/1.1 200"):
                self._fail(f"answered {self._read[:200]!r}")
                return
            at = head.find(b"\r\ncontent-length:")
            if at < 0:
                self._fail("an answer without a length")
                return
            length = int(head[at + 17 :].split(b"\r\n", 1)[0])
            self.bytes += length
            self._missing = length - (len(self._read) - end - 4)
            self._read = b""
        else:
            self._missing -= len(data)
        if self._missing > 0:
            return
        now = time.perf_counter()
        self._latencies.append(now - self._begun)
        self._missing = -1
        if now < self._until:
            self._ask()
        else:
            self._transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        if self.over.done():
            return
        if error or time.perf_counter() < self._until:
            self._fail(f"the connection was closed: {error}")
        else:
            self.over.set_result(None)

    def _fail(self, why: str) -> None:
        if not self.over.done():
            self.over.set_exception(RuntimeError(why))
        self._transport.close()


async def _asked(host: str, port: int, seconds: float, connections: int, requests: list[bytes]) -> Load:
    loop = asyncio.get_running_loop()
    latencies: list[float] = []
    source = cycle(requests)
    begun = time.perf_counter()
    opened = [
        (await loop.create_connection(lambda: _Connection(source, begun + seconds, latencies), host, port))[1]
        for _ in range(connections)
    ]
    await asyncio.gather(*(one.over for one in opened))
    took = time.perf_counter() - begun
    latencies.sort()
    number = len(latencies)
    return Load(
        number / took,
        latencies[number // 2] * 1000,
        latencies[min(number - 1, number * 99 // 100)] * 1000,
        number,
        sum(one.bytes for one in opened) / number,
    )


def main() -> None:
    """Ask, and print what was seen."""
    host, port, seconds, connections, accept = sys.argv[1:6]
    wanted = f"Accept: {accept}\r\n" if accept else ""
    requests = [
        f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\n{wanted}\r\n".encode() for path in sys.stdin.read().splitlines()
    ]
    found = asyncio.run(_asked(host, int(port), float(seconds), int(connections), requests))
    print(json.dumps({name: getattr(found, name) for name in Load.__slots__}))


if __name__ == "__main__":
    main()

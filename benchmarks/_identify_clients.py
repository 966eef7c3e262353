"""Many clients with images. In: a port, requests. Out: what was answered, when. Sockets and a loop, nothing else.

A client of the usual kind takes longer for a request than the server for its share of an answer.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

HOST = "127.0.0.1"
PATIENCE_S = 90.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What came: status (0: nothing, in time), head and body, and how long it took."""

    status: int
    head: bytes
    body: bytes
    seconds: float


def request_of(path: str, image: bytes) -> bytes:
    """Return a request about one image, as it goes over the line."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: image/jpeg\r\n"
        f"Content-Length: {len(image)}\r\nAccept: application/ld+json\r\nAccept-Encoding: identity\r\n\r\n"
    )
    return head.encode() + image


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> Answer:
    """Return the answer to one request on an open connection."""
    begun = time.perf_counter()
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
    body = await reader.readexactly(length)
    return Answer(int(head.split(b" ", 2)[1]), head, body, time.perf_counter() - begun)


async def in_turn(port: int, requests: Sequence[bytes], connections: int, number: int) -> tuple[list[Answer], float]:
    """Return ``number`` answers, asked for by some connections each after its last, and how many came a second."""
    answers: list[Answer] = []
    left = iter(range(number))

    async def client() -> None:
        reader, writer = await asyncio.open_connection(HOST, port)
        for at in left:
            answers.append(await ask(reader, writer, requests[at % len(requests)]))
        writer.close()

    begun = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(connections)))
    return answers, number / (time.perf_counter() - begun)


async def ask_once(port: int, request: bytes) -> Answer:
    """Return the answer to one request on a connection of its own."""
    reader, writer = await asyncio.open_connection(HOST, port)
    answer = await ask(reader, writer, request)
    writer.close()
    return answer


async def at_moments(port: int, requests: Sequence[bytes], moments: Sequence[float]) -> list[float]:
    """Return how long each answer took that was asked for at these moments, from when it was due; the quickest first.

    Whoever is due asks, however many still wait: a server that falls behind is not spared.
    """
    took: list[float] = []
    idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
    begun = time.perf_counter()

    async def one(at: int, due: float) -> None:
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        while idle and idle[-1][0].at_eof():  # the server closes what nobody uses
            idle.pop()[1].close()
        line = idle.pop() if idle else await asyncio.open_connection(HOST, port)
        answer = await ask(*line, requests[at % len(requests)])
        if answer.status == 200:
            took.append(time.perf_counter() - due)
        idle.append(line)

    await asyncio.gather(*(one(at, begun + moment) for at, moment in enumerate(moments)))
    for _, writer in idle:
        writer.close()
    return sorted(took)


async def all_at_once(port: int, requests: Sequence[bytes], clients: int) -> list[Answer]:
    """Return what each of many clients that ask at the same moment was told."""
    ready = asyncio.Event()

    async def client(at: int) -> Answer:
        begun = time.perf_counter()
        try:
            async with asyncio.timeout(PATIENCE_S):
                reader, writer = await asyncio.open_connection(HOST, port)
                await ready.wait()
                answer = await ask(reader, writer, requests[at % len(requests)])
                writer.close()
                return answer
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            return Answer(0, b"", b"", time.perf_counter() - begun)

    tasks = [asyncio.create_task(client(at)) for at in range(clients)]
    await asyncio.sleep(1.0)
    ready.set()
    return list(await asyncio.gather(*tasks))

"""The change feed: full pages from memory beside the same bytes as a static file, and following all of it.

Following is what an aggregator does that begins today: a process of its own asks for page after page, reads each and
notes the newest version of every record. Nothing of it is in the server's memory yet.

``python -m benchmarks._publish_feed PORT SECONDS`` follows and prints events, seconds and how many records it knows.
"""

import http.client
import json
import subprocess
import sys
import time
from pathlib import Path

import orjson

from benchmarks._figure import figure
from benchmarks._load import load
from benchmarks._publish_made import made
from benchmarks._publish_serving import received, serving, serving_files, until_ready

SECONDS = 4.0
PATIENCE_S = 300.0
EVENTS_PER_S = 5_000


def measure(data: Path, folder: Path, sizes: list[int]) -> None:
    """Print the figures of each size."""
    for size in sizes:
        store = made(data, folder, size)
        with serving(store.path.parent) as port:
            until_ready(port)
            if size == sizes[0]:
                _kept(port, folder)
            command = [sys.executable, "-m", "benchmarks._publish_feed", str(port), str(PATIENCE_S)]
            found = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
        whole = "the whole feed" if found["whole"] else f"the feed for {PATIENCE_S:g} s"
        figure(
            f"following {whole}, {size:,} identifications, {found['events']:,} events",
            found["events"] / found["seconds"],
            "events/s",
            beside="reading what came, in the follower",
            beside_value=found["events"] / found["reading_s"],
            at_least=EVENTS_PER_S,
        )


def _kept(port: int, folder: Path) -> None:
    """Print how fast a full page is served that was asked for before, beside a file of the same bytes."""
    path = "/feed/ldes/2"
    body = received(port, path)[1]
    (folder / "page.json").write_bytes(body)
    with serving_files(folder) as files:
        peer = load(files, ["/page.json"], seconds=SECONDS)
    found = load(port, [path], seconds=SECONDS)
    figure(
        f"a full feed page of {len(body):,} bytes",
        found.rate,
        "requests/s",
        beside="the same server, a static file",
        beside_value=peer.rate,
        at_least=peer.rate,
    )


def main() -> None:
    """Follow the feed to its end, or for so many seconds."""
    port, patience = int(sys.argv[1]), float(sys.argv[2])
    connection = http.client.HTTPConnection("127.0.0.1", port)
    newest: dict[str, int] = {}
    events, reading, began = 0, 0.0, time.perf_counter()
    path = "/feed/ldes/1"
    while path and time.perf_counter() - began < patience:
        connection.request("GET", path, headers={"Accept": "application/ld+json"})
        body = connection.getresponse().read()
        came = time.perf_counter()
        page = orjson.loads(body)
        for member in page["member"]:
            newest[member["isVersionOf"]] = member["sequence"]
        events += len(page["member"])
        node = page["view"].get("relation", {}).get("node", "")
        path = "/feed" + node.partition("/feed")[2] if node else ""
        reading += time.perf_counter() - came
    took = time.perf_counter() - began
    print(json.dumps({"events": events, "seconds": took, "reading_s": reading, "whole": not path}))


if __name__ == "__main__":
    main()

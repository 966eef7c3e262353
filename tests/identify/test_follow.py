"""`deboodt serve`, for real: what is put into the store is soon seen by queries, and the lag is in `/health`."""

import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

from linkeddata.records import MediaFile
from linkeddata.store import Store

TITLES = "SELECT ?title { ?s ?p ?title FILTER(STRSTARTS(STR(?title), 'Plate')) } ORDER BY ?title"


@pytest.mark.slow
def test_a_server_sees_what_another_process_writes(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "identify.cli", "--home", str(tmp_path), "serve", "--port", str(port)]
    with (tmp_path / "log").open("wb") as out, subprocess.Popen(command, stderr=out) as server:
        try:
            with Store(f"sqlite:///{tmp_path / 'deboodt.sqlite'}") as store:
                for number in range(3):
                    plate = MediaFile(iri=f"https://plates.example/{number}", title=f"Plate {number}")
                    store.put([plate], agent="test", moment="2026-11-02T10:00:00Z")
                    wait_for(address, number + 1)
                    answer = requests.get(f"{address}/sparql", {"query": TITLES, "format": "csv"}, timeout=30)
                    assert answer.text.split("\r\n")[1:-1] == [f"Plate {one}" for one in range(number + 1)]
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(timeout=30)
    assert not (tmp_path / "log").read_text().count("Traceback")


def wait_for(address: str, position: int) -> None:
    """Wait until queries see the log up to ``position``."""
    for _ in range(600):
        try:
            if requests.get(f"{address}/health", timeout=30).json()["sparql"] == {"position": position, "behind": 0}:
                return
        except requests.ConnectionError:
            pass
        time.sleep(0.1)
    raise AssertionError("queries never saw it")

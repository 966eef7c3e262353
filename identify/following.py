"""The process that keeps the graph for SPARQL in step with the store. In: settings. Out: a process, ended with ours.

It is started as ``python -m identify.following PARENT`` with the settings as JSON on its standard input, and imports
nothing of whoever started it.
"""

import os
import subprocess
import sys
from dataclasses import asdict

import orjson

from linkeddata import externalgraph
from linkeddata.client import Client
from linkeddata.publishedgraph import GRAPH, PublishedGraph
from linkeddata.settings import Settings
from linkeddata.store import Store


class Following:
    """A process that follows the log from ``start`` to ``close``, or until this process is gone."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Begin."""
        command = [sys.executable, "-m", "identify.following", str(os.getpid())]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)  # Ctrl-C is for us
        if self._process.stdin is not None:
            self._process.stdin.write(orjson.dumps(asdict(self._settings)))
            self._process.stdin.close()

    def close(self) -> None:
        """End; what is begun is done again the next time."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()


def keep_in_step(settings: Settings, parent: int) -> None:
    """Keep the graph that is asked in SPARQL in step with the store, for as long as the process ``parent`` lives.

    It is our own, or that of the server which the settings name. Raises ``StoreError`` where another process does so
    already.
    """

    def lives() -> bool:
        return os.getppid() == parent

    with Store(settings.store) as store:
        if settings.sparql_update:
            with Client(settings) as client:
                externalgraph.follow(settings, client, store, lives)
            return
        with PublishedGraph(settings.home_path / GRAPH, settings.base_url) as graph:
            graph.follow(store, lives)


if __name__ == "__main__":
    keep_in_step(Settings(**orjson.loads(sys.stdin.buffer.read())), int(sys.argv[1]))

"""The processes that keep what is made of the store in step with it. In: settings. Out: processes, ended with ours.

One keeps the graph for SPARQL, the other answers that are ready (``linkeddata.keeping``). Each is started as ``python
-m identify.following PARENT WHAT`` with the settings as JSON on its standard input, and imports nothing of whoever
started it.
"""

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict

import orjson

from identify.lasting import Lasting
from identify.website import website
from linkeddata import annotationroutes, externalgraph
from linkeddata.client import Client
from linkeddata.errors import StoreError
from linkeddata.keeping import Keeping
from linkeddata.keptbook import FOLDER, Book, made_for
from linkeddata.parts import Parts
from linkeddata.publishedgraph import GRAPH, PublishedGraph
from linkeddata.settings import Settings
from linkeddata.store import Store

Going = Callable[[], bool]


class Following:
    """Processes that follow the log from ``start`` to ``close``, or until this process is gone.

    ``what`` names them: of ``FOLLOWERS``. One that is killed begins again.
    """

    def __init__(self, settings: Settings, what: Sequence[str] = ("graph",)) -> None:
        command = [sys.executable, "-m", "identify.following", str(os.getpid())]
        given = orjson.dumps(asdict(settings))
        self.processes = [Lasting([*command, one], given) for one in what]

    def start(self) -> None:
        """Begin."""
        for process in self.processes:
            process.start()

    def close(self) -> None:
        """End; what is begun is done again the next time."""
        for process in self.processes:
            process.close()


def keep_graph(settings: Settings, going: Going) -> None:
    """Keep the graph that is asked in SPARQL in step with the store: our own, or that of the server in the settings.

    Raises ``StoreError`` where another process does so already.
    """
    with Store(settings.store) as store:
        if settings.sparql_update:
            with Client(settings) as client:
                externalgraph.follow(settings, client, store, going)
            return
        with PublishedGraph(settings.home_path / GRAPH, settings.base_url) as graph:
            graph.follow(store, going)


def keep_documents(settings: Settings, going: Going) -> None:
    """Keep answers ready. Raises ``StoreError`` where another process does so already."""
    with Store(settings.store) as store, Book(settings.home_path / FOLDER, made_for(settings)) as book:
        os.nice(NICE)
        parts = Parts(store, settings, website(settings).page)  # answers link to their pages, where there are any
        Keeping(parts, book, annotationroutes.identified).follow(going)


NICE = 10
"""What is made ready may be late: whoever asks meanwhile is answered anyway, and sooner if nobody is in the way."""
FOLLOWERS: dict[str, Callable[[Settings, Going], None]] = {"graph": keep_graph, "documents": keep_documents}


def wanted(settings: Settings) -> list[str]:
    """Return which of ``FOLLOWERS`` an installation wants: a graph unless another server has one, ready answers."""
    graph = bool(settings.sparql_update) or not settings.sparql_published
    return [name for name, is_wanted in (("graph", graph), ("documents", settings.keep_documents)) if is_wanted]


def main() -> None:
    """Follow for as long as the process lives that started this one."""
    parent = int(sys.argv[1])
    FOLLOWERS[sys.argv[2]](Settings(**orjson.loads(sys.stdin.buffer.read())), lambda: os.getppid() == parent)


if __name__ == "__main__":
    try:
        main()
    except StoreError as error:
        sys.exit(f"{error}; tried again later")

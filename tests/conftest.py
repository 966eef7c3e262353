"""Fixtures that all tests share: the recordings where they are, and stand-ins for the services of the world."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from harvest.standin.recorded import bhl_world, mediawiki_world
from harvest.standin.server import StandIn
from harvest.standin.world import World

RECORDINGS = Path(__file__).resolve().parents[1] / "../shared/data"


@pytest.fixture(scope="session")
def recordings() -> Path:
    """Folder of what the real services answered; it is not part of the project."""
    if not RECORDINGS.is_dir():
        pytest.skip("the recordings of real services are not on this machine")
    return RECORDINGS.resolve()


@pytest.fixture
def stand_in() -> Iterator[Callable[[World], StandIn]]:
    """Start a stand-in for a World; it ends with the test, which fails if the stand-in itself broke."""
    with ExitStack() as running:
        started: list[StandIn] = []

        def start(world: World) -> StandIn:
            started.append(running.enter_context(StandIn(world)))
            return started[-1]

        yield start
        assert [trouble for one in started for trouble in one.broken] == []


@pytest.fixture(scope="session")
def heritage(recordings: Path) -> Iterator[StandIn]:
    """A stand-in with the recorded plates of the Biodiversity Heritage Library: 1,400 files, no images."""
    world = bhl_world(recordings / "commons/bhl-depicts.srj", recordings / "gbif/parents-recorded.json")
    with StandIn(world) as running:
        yield running
    assert running.broken == []


@pytest.fixture(scope="session")
def small_wikis(recordings: Path) -> Iterator[StandIn]:
    """A stand-in with the two small wikis whose answers were recorded."""
    with StandIn(mediawiki_world(recordings / "mediawiki/recorded.jsonl")) as running:
        yield running
    assert running.broken == []


@pytest.fixture(scope="session")
def bucket() -> Iterator[str]:
    """URL of an empty bucket of a server that speaks S3 on loopback."""
    server = pytest.importorskip("moto.server", reason="no S3 server is installed: pip install 'deboodt[test]'")
    fsspec = pytest.importorskip("fsspec")
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
    running = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    with pytest.MonkeyPatch.context() as environment:
        for name, value in (keys | {"AWS_ENDPOINT_URL": f"http://{host}:{port}"}).items():
            environment.setenv(name, value)
        fsspec.filesystem("s3").mkdir("plates")
        yield "s3://plates"
    running.stop()

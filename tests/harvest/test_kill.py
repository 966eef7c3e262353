"""A harvest that is killed again and again, as whole processes: it ends as if nobody had disturbed it."""

import hashlib
import io
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image

from harvest.standin.server import StandIn
from harvest.standin.world import Category, Entity, File, Json, Revision, World, statement, statements
from linkeddata.records import CampaignFile, Failure, MediaFile, Step, Tag
from linkeddata.requestlog import FILE, read_log
from linkeddata.store import Store
from linkeddata.tables import VOLATILE

pytestmark = pytest.mark.slow

COMMAND = str(Path(sys.executable).parent / "deboodt")
FILES = 1_050
KILLS = 25
KILLS_EACH = 7
SEED = 1596
CAMPAIGN = """
[campaign]
id = "plates"
title = "Plates"

[[tags.commons]]
category = "Plates"
depth = 1
"""
SAID = "[[d:Special:EntityPage/P180]]: [[d:Special:EntityPage/{}]], campaign165@ISA"


@dataclass(frozen=True)
class Place:
    """A home folder of De Boodt and the stand-in that it asks."""

    home: Path
    standin: StandIn

    def start(self) -> "subprocess.Popen[str]":
        url = self.standin.url
        own = {
            "DEBOODT_COMMONS_API": f"{url}/w/api.php",
            "DEBOODT_WIKIDATA_API": f"{url}/wikidata/w/api.php",
            "DEBOODT_PSEUDONYM_KEY": "test",
            "DEBOODT_ALLOW_PRIVATE": "true",
        }
        self.home.mkdir(parents=True, exist_ok=True)
        campaign = self.home / "plates.toml"
        campaign.write_text(CAMPAIGN, encoding="utf-8")
        return subprocess.Popen(
            [COMMAND, "--json", "--home", str(self.home), "harvest", str(campaign)],
            env=os.environ | own,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def finish(self) -> float:
        """Harvest to the end; return how many seconds that took from the first request."""
        process = self.start()
        self._wait(process)
        begun = time.monotonic()
        _, stderr = process.communicate(timeout=300)
        assert process.returncode == 0, stderr
        return time.monotonic() - begun

    def _wait(self, process: "subprocess.Popen[str]") -> None:
        """Wait until the harvest asks for something, or ends."""
        asked = self.standin.requests.count()
        while process.poll() is None and self.standin.requests.count() == asked:
            time.sleep(0.01)

    def killed(self, after: float) -> bool:
        """Start the harvest, kill it ``after`` seconds from its first request; say whether it was still at work."""
        process = self.start()
        try:
            self._wait(process)
            time.sleep(after)
        finally:
            at_work = process.poll() is None
            if at_work:
                os.killpg(process.pid, signal.SIGKILL)
            _, stderr = process.communicate()
        assert at_work or process.returncode == 0, stderr
        return at_work

    def content(self) -> list[str]:
        with Store(f"sqlite:///{self.home}/deboodt.sqlite") as store:
            return list(store.lines(leave_out=VOLATILE))

    def images(self) -> dict[str, bytes]:
        """Return what is in the folder of images, each file whole: by name, and as its name says."""
        folder = self.home / "images"
        found = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if counts(path, folder)}
        for name, body in found.items():
            if name.endswith(".json"):
                json.loads(body)
            else:
                assert Path(name).stem == hashlib.sha1(body, usedforsecurity=False).hexdigest()
        return found


def counts(path: Path, folder: Path) -> bool:
    """Say whether De Boodt takes what is at ``path`` for a file; names with a point before them are drafts."""
    return path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts)


def picture(number: int) -> bytes:
    """Return a small picture, of every fiftieth file one that is larger than what is fetched."""
    out = io.BytesIO()
    size = (1400, 20) if number % 50 == 7 else (12, 8)
    Image.new("RGB", size, (number % 256, number // 256, 99)).save(out, "PNG")
    return out.getvalue()


def history(page_id: int, chance: random.Random) -> Iterator[tuple[str, str, Entity | None]]:
    """Yield the edits of one file: user, summary, and what is stated after it."""
    yield "Uploader", "upload of a plate", None
    standing: dict[str, Json] = {}
    for place in range(chance.choice((0, 0, 1, 1, 2, 5, 9))):
        user = f"Tagger {chance.randrange(40)}"
        if standing and chance.random() < 0.3:
            item = chance.choice(list(standing))
            del standing[item]
            comment = f"/* wbremoveclaims-remove:1| */ {SAID.format(item)}"
        else:
            item = f"Q{1000 + 50 * place + chance.randrange(50)}"
            standing[item] = statement(f"M{page_id}", "P180", item, rank=chance.choice(("normal", "preferred")))
            comment = f"/* wbsetclaim-create:2||1 */ {SAID.format(item)}"
        yield user, comment, Entity(statements=statements(*standing.values()))
    if page_id % 20 == 3:
        standing["?"] = statement(f"M{page_id}", "P180", "somevalue")
        yield "Stranger", "/* wbeditentity-update:0| */", Entity(statements=statements(*standing.values()))


def file(number: int, chance: random.Random) -> File:
    page_id = 1000 + number
    edits = tuple(
        Revision(
            id=page_id * 100 + place,
            parent=page_id * 100 + place - 1 if place else 0,
            user=user,
            moment=f"2021-10-{place + 1:02}T00:00:00Z",
            comment=comment,
            entity=entity,
        )
        for place, (user, comment, entity) in enumerate(history(page_id, chance))
    )
    image = picture(number)
    return File(
        page_id=page_id,
        title=f"File:Plate {number:04}.png",
        revisions=edits,
        categories=("Plates",) if number % 3 else ("Plates of birds",),
        image=None if number % 100 == 9 else image,
        sha1=hashlib.sha1(image, usedforsecurity=False).hexdigest(),
        size_bytes=len(image),
        width_px=1400 if number % 50 == 7 else 12,
        height_px=20 if number % 50 == 7 else 8,
        mime="image/png",
    )


@pytest.fixture(scope="module")
def standin() -> Iterator[StandIn]:
    chance = random.Random(SEED)
    moment = "2021-01-01T00:00:00Z"
    plates = Category(page_id=1, title="Category:Plates", moment=moment)
    birds = Category(page_id=2, title="Category:Plates of birds", moment=moment, categories=("Plates",))
    world = World(files=tuple(file(number, chance) for number in range(FILES)), categories=(plates, birds))
    with StandIn(world) as running:
        yield running
        assert running.broken == []


def test_killed_at_25_moments_it_ends_as_if_nobody_had_disturbed_it(standin: StandIn, tmp_path: Path) -> None:
    undisturbed = Place(tmp_path / "undisturbed", standin)
    took = undisturbed.finish()
    wanted, pictures = undisturbed.content(), undisturbed.images()
    with Store(f"sqlite:///{undisturbed.home}/deboodt.sqlite") as store:
        assert store.count(MediaFile) == store.count(CampaignFile) == FILES
        assert sum(bool(tag.withdrawn) for tag in store.each(Tag)) > 100
        lost = Counter(failure.reason for failure in store.each(Failure))
        assert min(lost["statement without item"], lost["image missing"]) > 5
        assert all(step.fingerprint for step in store.each(Step))

    seed = int(os.environ.get("DEBOODT_KILL_SEED", SEED))
    print(f"seed {seed}, undisturbed {took:.1f} s")
    chance = random.Random(seed)
    kills, places = 0, list[Place]()
    while kills < KILLS:
        places.append(Place(tmp_path / f"killed-{len(places)}", standin))
        kills += kill_again_and_again(places[-1], chance, took, pictures)
    for place in places:
        place.finish()
        assert place.content() == wanted
        assert place.images() == pictures
        assert list(place.home.rglob(".*")) == []
    asked = [one for place in places for one in read_log(place.home / FILE)]
    print(f"{kills} kills of {len(places)} harvests, {sum(one.requests for one in asked)} requests")


def kill_again_and_again(place: Place, chance: random.Random, took: float, pictures: dict[str, bytes]) -> int:
    """Kill one harvest at random moments of its way, each time further on; return how often it was at work."""
    kills, before = 0, 0.0
    for moment in sorted(chance.uniform(0, took) for _ in range(KILLS_EACH)):
        if not place.killed(moment - before):
            break  # it was faster
        kills, before = kills + 1, moment
        assert place.images().items() <= pictures.items()
    return kills

"""How many requests a file costs by the API route, over a category of the stand-in with histories as they are in life.

In: nothing but the stand-in; pywikibot (``pip install 'deboodt[bench]'``) to walk the same category. Out: requests a
file with attribution off and on, and when nothing has changed.
"""

import os
import random
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from benchmarks._figure import figure
from crowd.campaign import CommonsSource
from harvest.commons import harvest_commons
from harvest.standin.server import StandIn
from harvest.standin.world import Category, Entity, File, Json, Revision, World, statement, statements
from linkeddata.client import Client
from linkeddata.pseudonyms import Pseudonyms
from linkeddata.records import CampaignFile, Tag

FILES = 1200
CATEGORY = "Plates of the benchmark"
IN_THE_DARK = 0.1
"""Share of the edits whose summary does not say what they did, so that they must be looked into."""
WALKED = 1.07
"""Requests a file of pywikibot's ``data_item()`` on a real wiki; stands beside where pywikibot is not installed."""


def world(count: int = FILES, seed: int = 1596, *, busy: bool = False) -> World:
    """Return a category of files: a third has several edits, a third one, a third none; if busy, all have several."""
    chance = random.Random(seed)
    category = Category(page_id=1, title=f"Category:{CATEGORY}", moment="2021-01-01T00:00:00Z")
    return World(files=tuple(_file(number, chance, busy) for number in range(1, count + 1)), categories=(category,))


def _file(number: int, chance: random.Random, busy: bool) -> File:
    page_id = 1000 + number
    edits = (0, 1, 2 + min(40, int(chance.expovariate(0.25))))[2 if busy else number % 3]
    edited: list[tuple[str, str, Entity | None]] = [("Uploader", "upload of a plate", None)]
    standing: dict[str, Json] = {}
    for place in range(edits):
        user = f"Tagger {chance.randrange(40)}"
        if place % 5 == 4:
            item = next(iter(standing))
            del standing[item]
            comment = f"/* wbremoveclaims-remove:1| */ [[Property:P180]]: [[{item}]]"
        else:
            item = f"Q{1000 + 50 * place + chance.randrange(50)}"
            standing[item] = statement(f"M{page_id}", "P180", item)
            comment = f"/* wbsetclaim-create:2||1 */ [[Property:P180]]: [[{item}]], campaign165@ISA"
        if chance.random() < IN_THE_DARK:
            comment = "/* wbeditentity-update:0| */ data"
        edited.append((user, comment, Entity(statements=statements(*standing.values()))))
    history = tuple(
        Revision(
            id=page_id * 100 + place,
            parent=page_id * 100 + place - 1 if place else 0,
            user=user,
            moment=f"2021-10-{place // 24 + 1:02}T{place % 24:02}:00:00Z",
            comment=comment,
            entity=entity,
        )
        for place, (user, comment, entity) in enumerate(edited)
    )
    return File(
        page_id=page_id,
        title=f"File:Plate {number:05}.jpg",
        revisions=history,
        categories=(CATEGORY,),
        sha1=f"{number:040x}",
        metadata={"Artist": "Anselmus", "LicenseUrl": "https://creativecommons.org/publicdomain/zero/1.0/"},
    )


def requests_a_file(standin: StandIn, *, attribution: bool) -> tuple[float, int]:
    """Return how many requests one file of the category costs, and how many tags stand."""
    standin.requests.clear()
    with Client(standin.settings()) as client:
        records = list(
            harvest_commons(
                client,
                standin.settings(),
                CommonsSource(category=CATEGORY),
                campaign="benchmark",
                pseudonyms=Pseudonyms("benchmark"),
                attribution=attribution,
            )
        )
    files = sum(isinstance(record, CampaignFile) for record in records)
    assert files == FILES
    tags = [record for record in records if isinstance(record, Tag)]
    assert all(tag.agent for tag in tags) == attribution
    return standin.requests.count() / files, sum(not tag.withdrawn for tag in tags)


def requests_again(standin: StandIn) -> float:
    """Return how many requests one file costs when nothing has changed since the last harvest."""
    known = {f"{standin.settings().commons_entity}{f.id}": f.revisions[-1].id for f in standin.world.files}
    standin.requests.clear()
    with Client(standin.settings()) as client:
        source = CommonsSource(category=CATEGORY)
        people = Pseudonyms("benchmark")
        records = harvest_commons(
            client, standin.settings(), source, campaign="benchmark", pseudonyms=people, known=known
        )
        assert sum(isinstance(record, CampaignFile) for record in records) == FILES
    return standin.requests.count() / FILES


def pywikibot_requests(standin: StandIn, folder: Path, *, histories: bool) -> tuple[float, int]:
    """Return how many requests one file costs pywikibot, what it asks to set itself up included, and the statements."""
    standin.requests.clear()
    place = folder / f"pywikibot-{histories}"
    place.mkdir(parents=True)
    command = [sys.executable, "-m", "benchmarks._pywikibot_walk", standin.url, CATEGORY, *["histories"] * histories]
    root = str(Path(__file__).resolve().parents[1])
    own = {"PYWIKIBOT_DIR": str(place), "PYWIKIBOT_NO_USER_CONFIG": "2", "PYTHONPATH": root}
    done = subprocess.run(command, env=os.environ | own, cwd=place, check=True, capture_output=True, text=True)
    files, statements, _ = map(int, done.stdout.split())
    assert files == len(standin.world.files)
    return standin.requests.count() / files, statements


def measure(data: Path, folder: Path) -> None:
    """Print requests a file, attribution off and on and when nothing changed, beside pywikibot."""
    installed = find_spec("pywikibot") is not None
    with StandIn(world()) as standin:
        for attribution, aim in ((False, 0.05), (True, 0.6)):
            value, standing = requests_a_file(standin, attribution=attribution)
            beside, beside_value = "pywikibot's data_item() as measured on a real wiki", WALKED
            if installed:
                beside = "pywikibot: data_item()" + (" and revisions()" if attribution else "")
                beside_value, statements = pywikibot_requests(standin, folder, histories=attribution)
                assert statements == standing, "the same statements were found"
            name = f"requests by the API route, attribution {'on' if attribution else 'off'}"
            figure(name, value, "requests/file", beside=beside, beside_value=beside_value, at_most=aim)
            if not attribution:
                plain, plain_value = beside, beside_value
        again = requests_again(standin)
        name = "requests by the API route, again, nothing changed"
        figure(name, again, "requests/file", beside=plain, beside_value=plain_value, at_most=0.01)
    with StandIn(world(busy=True)) as standin:
        value, _ = requests_a_file(standin, attribution=True)
        name = "requests by the API route, attribution on, every file edited several times"
        figure(
            name,
            value,
            "requests/file",
            beside=f"{beside}, on the category above",
            beside_value=beside_value,
            at_most=0.6,
        )

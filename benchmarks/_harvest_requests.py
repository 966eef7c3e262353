"""How many requests a file costs by the API route, over a category of the stand-in with histories as they are in life.

In: nothing but the stand-in. Out: requests a file with attribution off and on.
"""

import random
from pathlib import Path

from benchmarks._figure import figure
from crowd.campaign import CommonsSource
from harvest.commons import harvest_commons
from harvest.standin.server import StandIn
from harvest.standin.world import Category, Entity, File, Json, Revision, World, statement, statements
from linkeddata.client import Client
from linkeddata.pseudonyms import Pseudonyms
from linkeddata.records import CampaignFile

FILES = 1200
CATEGORY = "Plates of the benchmark"
WALKED = 1.07
"""Requests a file of pywikibot's ``data_item()`` as measured on a real wiki."""


def world(count: int = FILES, seed: int = 1596) -> World:
    """Return a category of ``count`` files: a third has several edits, a third one after the upload, a third none."""
    chance = random.Random(seed)
    category = Category(page_id=1, title=f"Category:{CATEGORY}", moment="2021-01-01T00:00:00Z")
    return World(files=tuple(_file(number, chance) for number in range(1, count + 1)), categories=(category,))


def _file(number: int, chance: random.Random) -> File:
    page_id = 1000 + number
    edits = (0, 1, 2 + min(40, int(chance.expovariate(0.25))))[number % 3]
    edited: list[tuple[str, str, Entity | None]] = [("Uploader", "upload of a plate", None)]
    standing: dict[str, Json] = {}
    for place in range(edits):
        user = f"Tagger {chance.randrange(40)}"
        item = f"Q{chance.randrange(1000, 3000)}"
        standing[item] = statement(f"M{page_id}", "P180", item)
        comment = f"/* wbsetclaim-create:2||1 */ [[Property:P180]]: [[{item}]], campaign165@ISA"
        if place % 5 == 4:
            item = next(iter(standing))
            del standing[item]
            comment = f"/* wbremoveclaims-remove:1| */ [[Property:P180]]: [[{item}]]"
        edited.append((user, comment, Entity(statements=statements(*standing.values()))))
    history = tuple(
        Revision(
            id=page_id * 100 + place,
            parent=page_id * 100 + place - 1 if place else 0,
            user=user,
            moment=f"2021-10-{place % 28 + 1:02}T{place // 28:02}:00:00Z",
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


def requests_a_file(standin: StandIn, *, attribution: bool) -> float:
    """Return how many requests one file of the category costs."""
    standin.requests.clear()
    with Client(standin.settings()) as client:
        records = harvest_commons(
            client,
            standin.settings(),
            CommonsSource(category=CATEGORY),
            campaign="benchmark",
            pseudonyms=Pseudonyms("benchmark"),
            attribution=attribution,
        )
        files = sum(isinstance(record, CampaignFile) for record in records)
    assert files == FILES
    return standin.requests.count() / files


def measure(data: Path, folder: Path) -> None:
    """Print requests a file, attribution off and on."""
    with StandIn(world()) as standin:
        beside = "pywikibot with data_item() on a real wiki"
        for attribution, aim in ((False, 0.05), (True, 0.6)):
            value = requests_a_file(standin, attribution=attribution)
            name = f"requests by the API route, attribution {'on' if attribution else 'off'}"
            figure(name, value, "requests/file", beside=beside, beside_value=WALKED, at_most=aim)

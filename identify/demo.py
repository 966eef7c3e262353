"""The sample's world: a painted cabinet, a stand-in for the services outside. In: a folder. Out: settings, a campaign.

Everything is made here: the plates are painted (once; those that are there stay), the crowd is simulated, and a local
server speaks the protocols of Commons, Wikidata, GBIF, WoRMS and ISA, so that real clients run as they do outside.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import as_file, files
from pathlib import Path

from harvest.sample.cabinet import paint_all
from harvest.sample.crowd import sample_world
from harvest.sample.plan import plates
from harvest.standin.server import StandIn
from harvest.standin.world import World
from identify.pipeline import Progress
from linkeddata.settings import Settings

CONTACT = "sample@deboodt.example"
CAMPAIGN = "painted-butterflies.toml"


@contextmanager
def sample_services(
    out: Path, *, per_engraver: int, broken: bool, progress: Progress, port: int = 0
) -> Iterator[tuple[Settings, Path]]:
    """Paint what is not painted yet, start the stand-in, and give the settings and the campaign file to run with.

    The stand-in keeps its port from run to run where it can, so that what is stored points to the same addresses.
    """
    plan = plates(per_engraver)
    cabinet = out / "cabinet"
    for done, _ in enumerate(paint_all(plan, cabinet), 1):
        progress("painting", done, len(plan))
    world = sample_world(plan, cabinet, broken=broken)
    kept = out / "standin.json"
    with _on_the_same_port(world, kept, port) as standin, as_file(files("harvest.sample") / CAMPAIGN) as campaign:
        kept.write_text(json.dumps({"url": standin.url}), encoding="utf-8")
        yield standin.settings(home=str(out), contact=CONTACT, pseudonym_key="sample"), campaign


def _on_the_same_port(world: World, kept: Path, port: int) -> StandIn:
    if not port and kept.is_file():
        port = int(json.loads(kept.read_text(encoding="utf-8"))["url"].rsplit(":", 1)[1])
    try:
        return StandIn(world, port)
    except OSError:
        return StandIn(world, 0)

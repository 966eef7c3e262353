"""Stores of any size with identifications of real taxa. In: the recordings or the sample's facts, a size. Out: a store.

Taxa are those that the plates of the Biodiversity Heritage Library are tagged with, with GBIF's keys and lineages;
without the recordings they are the sample's fourteen species. Some are identified often, most seldom (Zipf). Four
answers are about one picture. Everything is drawn from one seed, so that the same size is the same store.
"""

import csv
import json
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import accumulate
from pathlib import Path

from harvest.sample.facts import SPECIES
from linkeddata.ids import GBIF_BACKBONE
from linkeddata.lineages import concept_of
from linkeddata.records import Agent, Alternative, Ancestor, Identification, MediaFile, Record, Taxon
from linkeddata.store import Store

BASE = "https://deboodt.example"
WHEN = "2026-11-02T10:00:00Z"
MODEL, VERSION = "plates", "3"
SOFTWARE = f"urn:deboodt:model:{MODEL}@{VERSION}"
RANKS = ("kingdom", "phylum", "class", "order", "family", "genus")
ANSWERS_A_PICTURE = 4
HOLDERS = ("Q190804", "Q1526131", "Q641676", "Q924335")
"""Rijksmuseum, KB, Naturalis' and another museum's Wikidata items."""
SEED = 1550


@dataclass(frozen=True, slots=True)
class Made:
    """A store that was made: where, of how many identifications, and how long writing it took (0: it was there)."""

    path: Path
    identifications: int
    records: int
    seconds: float

    @property
    def url(self) -> str:
        """Its address as the store has it."""
        return f"sqlite:///{self.path}"


def made(data: Path, folder: Path, count: int) -> Made:
    """Return a store of ``count`` identifications in ``folder``, made unless it is there."""
    home = folder / str(count)
    path = home / "deboodt.sqlite"
    records = count + -(-count // ANSWERS_A_PICTURE)
    if (home / "whole").exists():
        return Made(path, count, records, 0.0)
    home.mkdir(parents=True, exist_ok=True)
    for left in home.glob("deboodt.sqlite*"):
        left.unlink()
    began = time.perf_counter()
    with Store(f"sqlite:///{path}") as store:
        store.put(around(data), agent="benchmark", moment=WHEN)
        store.put(records_of(taxa(data), count), agent="benchmark", moment=WHEN)
    took = time.perf_counter() - began
    (home / "whole").touch()
    return Made(path, count, records, took)


def around(data: Path) -> Iterator[Record]:
    """Yield the taxa and the software that answers."""
    yield Agent(id=SOFTWARE, kind="SoftwareAgent", name=MODEL, version=VERSION)
    yield from taxa(data)


def taxa(data: Path) -> list[Taxon]:
    """Return real species, from the recordings or else from the sample."""
    if not (data / "commons/bhl-depicts.srj").exists():
        return [_taxon(one.name, one.item, one.gbif_key, one.lineage) for one in SPECIES]
    rows = json.loads((data / "commons/bhl-depicts.srj").read_text(encoding="utf-8"))["results"]["bindings"]
    parents = json.loads((data / "gbif/parents-recorded.json").read_text(encoding="utf-8"))
    with (data / "gbif/backbone-excerpt.tsv").open(encoding="utf-8") as file:
        names = {row["usageKey"]: row["canonicalName"] for row in csv.DictReader(file, delimiter="\t")}
    found: dict[str, Taxon] = {}
    for row in rows:
        item, key, name = (_value(row, part) for part in ("taxon", "gbif_id", "taxon_name"))
        steps = parents.get(key, {}).get("parents", [])
        if len(steps) == len(RANKS) and len(name.split()) == 2:
            known = names | {str(steps[-1]): name.split()[0]}
            lineage = tuple(Ancestor(r, known.get(str(k), ""), str(k)) for r, k in zip(RANKS, steps, strict=True))
            found[item] = _taxon(name, item.rpartition("/")[2], key, lineage)
    return list(found.values())


def _value(row: dict[str, dict[str, str]], name: str) -> str:
    return row.get(name, {}).get("value", "")


def _taxon(name: str, item: str, gbif_key: str, lineage: tuple[Ancestor, ...]) -> Taxon:
    return Taxon(
        query=item,
        concept=concept_of(item, gbif_key),
        name=name,
        rank="species",
        item=item,
        gbif_key=gbif_key,
        checklist_key=GBIF_BACKBONE,
        lineage=lineage,
        match_type="IDENTIFIER",
        source="wikidata",
        moment=WHEN,
    )


def records_of(known: Sequence[Taxon], count: int) -> Iterator[Record]:
    """Yield ``count`` identifications, each four after the picture they are about."""
    chance = random.Random(SEED)
    order = list(known)
    chance.shuffle(order)
    weights = list(accumulate(1 / (at + 10) for at in range(len(order))))
    for start in range(0, count, ANSWERS_A_PICTURE):
        media = _picture(start // ANSWERS_A_PICTURE, chance)
        yield media
        for at in range(start, min(start + ANSWERS_A_PICTURE, count)):
            yield _answer(at, media, chance.choices(order, cum_weights=weights, k=3), chance)


def key_of(number: int) -> str:
    """Return the id of identification ``number``: 24 hex digits, in no order, as ours are."""
    return blake2b(number.to_bytes(8, "big"), digest_size=12).hexdigest()


def _picture(number: int, chance: random.Random) -> MediaFile:
    sha1 = f"{chance.getrandbits(160):040x}"
    return MediaFile(
        iri=f"https://commons.wikimedia.org/entity/M{100_000_000 + number}",
        title=f"File:Plate {number} of a book of plates.jpg",
        page=f"https://commons.wikimedia.org/wiki/File:Plate_{number}_of_a_book_of_plates.jpg",
        original=f"https://upload.wikimedia.org/wikipedia/commons/{sha1[0]}/{sha1[:2]}/Plate_{number}.jpg",
        sha1=sha1,
        mime="image/jpeg",
        width_px=2400 + number % 1000,
        height_px=3200,
        size_bytes=3_000_000 + number % 100_000,
        licence="https://creativecommons.org/publicdomain/mark/1.0/",
        creator="unknown engraver",
        inventory_number=f"RP-T-{number}",
        institution=HOLDERS[number % len(HOLDERS)],
        group=f"book {number // 40}",
        revision=number + 1,
    )


def _answer(number: int, media: MediaFile, drawn: Sequence[Taxon], chance: random.Random) -> Identification:
    sure = round(chance.uniform(0.3, 1.0), 6)
    rest = 1 - sure
    said, *others = drawn
    shares = (rest * 0.6, rest * 0.3)
    alternatives = [Alternative(said.name, sure, said.rank, said.item, said.gbif_key)]
    alternatives += [
        Alternative(one.name, round(share, 6), one.rank, one.item, one.gbif_key)
        for one, share in zip(others, shares, strict=True)
    ]
    return Identification(
        id=key_of(number),
        file=media.iri,
        sha1=media.sha1,
        model=MODEL,
        version=VERSION,
        weights="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        label=said.name,
        rank=said.rank,
        item=said.item,
        gbif_key=said.gbif_key,
        certainty=sure,
        rule="R2",
        alternatives=tuple(alternatives),
        region=f"xywh=percent:{number % 4 * 25},10,25,80",
        agent=SOFTWARE,
        moment=WHEN,
        campaign="plates",
    )

"""The sample as a World. In: plates and their images. Out: file pages with histories, true taxa, an ISA export.

Plates are painted and the crowd is simulated, and every page says so; M-ids, revision numbers, user names and inventory
numbers are made up. Names, Q-items and GBIF keys are those of ``facts``. A synonym whose key nobody gave us has a
number from ``FIRST_MADE_UP_KEY``: it leads to the true, accepted one and shows up in no result.
"""

import csv
import hashlib
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from PIL import Image

from harvest.sample.cabinet import path_of
from harvest.sample.facts import ITEMS_ABOVE, SPECIES, SYNONYM_KEYS, Species
from harvest.sample.plan import ENGRAVERS, Engraver, Plate
from harvest.sample.taggers import CAPTION, LION, PROMINENT, REMOVE, ROLLBACK, TAG, Act, acts
from harvest.standin.gbif import parsed
from harvest.standin.world import (
    Category,
    Entity,
    File,
    IsaCampaign,
    Item,
    Json,
    Revision,
    Usage,
    World,
    snak,
    statement,
    statements,
)
from linkeddata.ids import DEPICTS, GBIF_TAXON_ID, INSTANCE_OF, INVENTORY_NUMBER, TAXON, TAXON_NAME, TAXON_RANK

ENTITY = "https://commons.deboodt.example/entity/"
SITE = "De Boodt's painted cabinet (simulated Commons)"
ROOT = "Painted cabinet of De Boodt (sample)"
STRANGERS = "Painted strangers of De Boodt (sample)"
PAINTED = "Painted and simulated by De Boodt"
ISA_NUMBER = 1
ISA_NAME = "Painted butterflies"
PAINTER = "De Boodt's painting machine (simulated)"
FIRST_PAGE = 20_000
FIRST_REVISION = 5_000_000
FIRST_MADE_UP_KEY = 2_000_000_000
PAINTED_ON = datetime(2021, 9, 15, 9, 0, 0)
SPECIES_RANK = "Q7432"
NO_SUCH_ITEM = "Q2147483647"
"""The largest number an item can have; Wikidata has not got that far."""

CREATOR, AUTHOR_NAME = "P170", "P2093"
_LICENCE = "https://creativecommons.org/publicdomain/zero/1.0/"
_HEADER = (
    *("username", "file", "edit_type", "edit_action", "country"),
    *("depict_item", "depict_prominent", "caption_text", "caption_language", "date"),
)


def sample_world(plates: Sequence[Plate], image_folder: Path, *, seed: int = 1596, broken: bool = False) -> World:
    """Return the sample: files with images from ``image_folder`` (``cabinet.path_of``), histories, taxa, ISA's CSV.

    A plate that is not painted is listed and its image is missing. ``broken`` adds what goes wrong in life: an image
    that is gone, one that cannot be read, a tag with an item that does not exist, rows of the CSV without sense.
    """
    done = acts(plates, seed)
    if broken:
        done = sorted([*done, *_broken_acts(plates)], key=lambda act: (act.moment, act.plate))
    pages = {plate.number: _Page(plate) for plate in plates}
    for number, act in enumerate(done, FIRST_REVISION + 2 * len(plates)):
        pages[act.plate].take(act, number)
    files = [page.file(image_folder) for page in pages.values()]
    if broken:
        files = _with_broken_images(plates, files)
    titles = {plate.number: plate.title for plate in plates}
    return World(
        files=tuple(files),
        categories=tuple(_categories()),
        items=tuple(_items()),
        usages=tuple(_usages()),
        isa=(IsaCampaign(id=ISA_NUMBER, name=ISA_NAME, csv=isa_csv(done, titles, broken=broken)),),
        commons_entity=ENTITY,
        site_name=SITE,
    )


def media_iri(plate: Plate) -> str:
    """Return the concept IRI of a plate's file."""
    return f"{ENTITY}M{FIRST_PAGE + plate.number}"


def album(engraver: Engraver) -> str:
    """Return the category of an engraver's plates."""
    return f"Album of {engraver.name}"


def isa_csv(done: Iterable[Act], titles: dict[int, str], *, broken: bool = False) -> bytes:
    """Return the campaign's export as ISA writes it: what was done in the tool, in order, by day, CRLF."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(_HEADER)
    for act in done:
        if act.isa and act.kind != ROLLBACK:
            writer.writerow(_isa_row(act, titles[act.plate]))
    if broken:
        writer.writerow(["Simulated lepidopterist", "File:De Boodt sample 9999 (painted).jpg", "depicts"])
        writer.writerow(_isa_row(_stray("Q0x"), titles[min(titles)]))
        writer.writerow(_isa_row(_stray("Q158603"), "File:De Boodt sample 9999 (painted).jpg"))
    return out.getvalue().encode()


def _isa_row(act: Act, title: str) -> list[str]:
    kind = "captions" if act.kind == CAPTION else "depicts"
    action = {REMOVE: "remove", PROMINENT: "edit"}.get(act.kind, "add")
    star = "" if act.kind == CAPTION else str(act.prominent or act.kind == PROMINENT)
    day = act.moment.strftime("%Y-%m-%d")
    return [act.user, title, kind, action, "", act.item, star, act.text, act.language, day]


def _stray(item: str) -> Act:
    return Act(moment=datetime(2021, 12, 31), plate=0, user="Simulated lepidopterist", kind=TAG, isa=True, item=item)


@dataclass(slots=True)
class _Page:
    """A file page as it grows, revision by revision."""

    plate: Plate
    revisions: list[Revision] = field(default_factory=list)
    tags: list[tuple[str, Json]] = field(default_factory=list)  # (user, statement)
    labels: dict[str, str] = field(default_factory=dict)
    made: int = 0  # statements ever made: each has an id of its own

    def __post_init__(self) -> None:
        number = FIRST_REVISION + 2 * (self.plate.number - 1)
        moment = PAINTED_ON + timedelta(minutes=self.plate.number)
        about = "/* wbeditentity-update:0| */ painter and inventory number (simulated)"
        self._revise(number, PAINTER, moment, "Painted and uploaded by De Boodt (simulated)", data=False)
        self._revise(number + 1, PAINTER, moment + timedelta(seconds=20), about)

    @property
    def media(self) -> str:
        return f"M{FIRST_PAGE + self.plate.number}"

    def take(self, act: Act, number: int) -> None:
        """Apply one act as revision ``number``."""
        if act.kind == ROLLBACK:
            self._roll_back(act, number)
            return
        summary = self._summary(act)
        if act.kind == TAG:
            self.made += 1
            rank = "preferred" if act.prominent else "normal"
            self.tags.append((act.user, statement(self.media, DEPICTS, act.item, rank=rank, number=self.made)))
        elif act.kind == CAPTION:
            self.labels[act.language] = " ".join(act.text.split())
        else:
            self._change(act)
        self._revise(number, act.user, act.moment, summary)

    def _change(self, act: Act) -> None:
        """Remove somebody's statement, or make it prominent."""
        for place, (owner, told) in reversed(list(enumerate(self.tags))):
            if owner == act.owner and told["mainsnak"]["datavalue"]["value"]["id"] == act.item:
                if act.kind == REMOVE:
                    del self.tags[place]
                else:
                    self.tags[place] = (owner, told | {"rank": "preferred"})
                return

    def _roll_back(self, act: Act, number: int) -> None:
        """Undo, as a rollback does, the last edits of one person together."""
        mine = len(self.revisions)
        while self.revisions[mine - 1].user == act.owner:
            self.revisions[mine - 1] = replace(self.revisions[mine - 1], tags=("mw-reverted",))
            mine -= 1
        before = self.revisions[mine - 1]
        entity = before.entity or Entity()
        kept = {s["id"] for s in entity.statements.get(DEPICTS, ())}
        self.tags = [(user, told) for user, told in self.tags if told["id"] in kept]
        self.labels = dict(entity.labels)
        them, us = act.owner, before.user
        text = f"Reverted edit by [[Special:Contributions/{them}|{them}]] ([[User talk:{them}|talk]])"
        self._revise(number, act.user, act.moment, f"{text} to last revision by [[User:{us}|{us}]]", ("mw-rollback",))

    def _summary(self, act: Act) -> str:
        tool = f", campaign{ISA_NUMBER}@ISA" if act.isa else ""
        if act.kind == CAPTION:
            return f"/* wbsetlabel-add:1|{act.language} */ {act.text}{tool}"
        verb = {TAG: "wbsetclaim-create:2||1", PROMINENT: "wbsetclaim-update:2||1", REMOVE: "wbremoveclaims-remove:1|"}
        what = f"[[d:Special:EntityPage/{DEPICTS}]]: [[d:Special:EntityPage/{act.item}]]"
        return f"/* {verb[act.kind]} */ {what}{tool}"

    def _revise(
        self, number: int, user: str, moment: datetime, comment: str, tags: tuple[str, ...] = (), *, data: bool = True
    ) -> None:
        self.revisions.append(
            Revision(
                id=number,
                parent=self.revisions[-1].id if self.revisions else 0,
                user=user,
                moment=moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
                comment=comment,
                tags=tags,
                entity=self._entity() if data else None,
                wikitext=_wikitext(self.plate),
            )
        )

    def _entity(self) -> Entity:
        name = _engraver(self.plate).name
        painter = statement(self.media, CREATOR, "somevalue", qualifiers=[snak(AUTHOR_NAME, name)])
        number = statement(self.media, INVENTORY_NUMBER, self.plate.inventory_number)
        told = statements(*(s for _, s in self.tags), painter, number)
        return Entity(labels=dict(self.labels), statements=told)

    def file(self, folder: Path) -> File:
        """Return the finished page with the image in ``folder``."""
        engraver = _engraver(self.plate)
        path = path_of(self.plate, folder)
        body = path.read_bytes() if path.is_file() else b""
        width, height = _size(body)
        inside = STRANGERS if self.plate.stranger else album(engraver)
        return File(
            page_id=FIRST_PAGE + self.plate.number,
            title=self.plate.title,
            revisions=tuple(self.revisions),
            categories=(inside, PAINTED),
            image=path if body else None,
            sha1=_sha1(body) if body else "",
            size_bytes=len(body),
            width_px=width,
            height_px=height,
            uploaded=self.revisions[0].moment,
            uploader=PAINTER,
            metadata=_metadata(self.plate, engraver),
        )


def _engraver(plate: Plate) -> Engraver:
    return next(e for e in ENGRAVERS if e.key == plate.engraver)


def _description(plate: Plate) -> str:
    engraver = _engraver(plate)
    return (
        f"Plate {plate.inventory_number}: {engraver.technique}. Painted by a program and simulated: no museum's object."
    )


def _wikitext(plate: Plate) -> str:
    inside = STRANGERS if plate.stranger else album(_engraver(plate))
    return (
        "== {{int:filedesc}} ==\n{{Information\n"
        f"|description={{{{en|1={_description(plate)}}}}}\n|date=2021-09-15\n|source={PAINTED}\n"
        f"|author={_engraver(plate).name}\n}}}}\n\n== {{{{int:license-header}}}} ==\n{{{{cc-zero}}}}\n\n"
        f"[[Category:{inside}]]\n[[Category:{PAINTED}]]\n"
    )


def _metadata(plate: Plate, engraver: Engraver) -> dict[str, str]:
    """Return what the description page tells, in HTML, as extmetadata has it.

    The licence's address stands bare on Commons and as a link on other wikis: both forms occur here, one an album.
    """
    link = f'<a rel="nofollow" class="external free" href="{_LICENCE}">{_LICENCE}</a>'
    bare = f"{_LICENCE.replace('https', 'http')}deed.en"
    name = f'<a href="//commons.deboodt.example/wiki/Category:{album(engraver).replace(" ", "_")}">{engraver.name}</a>'
    return {
        "ImageDescription": f'<div class="description en" lang="en">{_description(plate)}</div>',
        "DateTimeOriginal": "2021-09-15",
        "Credit": f'<span class="int-own-work" lang="en">{PAINTED}</span>',
        "Artist": name,
        "LicenseShortName": "CC0",
        "UsageTerms": "Creative Commons Zero, Public Domain Dedication",
        "AttributionRequired": "false",
        "LicenseUrl": link if engraver == ENGRAVERS[0] else bare,
        "Copyrighted": "True",
        "Restrictions": "",
        "License": "cc0",
    }


def _size(body: bytes) -> tuple[int, int]:
    if not body:
        return 0, 0
    with Image.open(io.BytesIO(body)) as image:
        return image.size


def _sha1(body: bytes) -> str:
    return hashlib.sha1(body, usedforsecurity=False).hexdigest()


def _categories() -> Iterator[Category]:
    """Yield the category pages: albums below the root, and the root below its first album, as such circles happen."""
    moment = PAINTED_ON.strftime("%Y-%m-%dT%H:%M:%SZ")
    titles = [(ROOT, (album(ENGRAVERS[0]), PAINTED)), (STRANGERS, (PAINTED,)), (PAINTED, ())]
    titles += [(album(e), (ROOT, PAINTED)) for e in ENGRAVERS]
    for number, (name, inside) in enumerate(titles, 1):
        yield Category(page_id=number, title=f"Category:{name}", moment=moment, categories=inside)


def _items() -> Iterator[Item]:
    for species in SPECIES:
        labels = {"mul": species.name} | dict(species.vernaculars)
        yield _item(species.item, species.name, species.gbif_key, labels, rank=SPECIES_RANK)
    roots = {a.name: a.gbif_key for a in SPECIES[0].lineage}
    for name, item in ITEMS_ABOVE.items():
        yield _item(item, name, roots[name], {"mul": name})
    yield _item(LION, "Panthera leo", "5219404", {"en": "lion", "nl": "leeuw", "de": "Löwe"}, rank=SPECIES_RANK)


def _item(item: str, name: str, key: str, labels: dict[str, str], rank: str = "") -> Item:
    told = [statement(item, INSTANCE_OF, TAXON), statement(item, TAXON_NAME, name), statement(item, GBIF_TAXON_ID, key)]
    told += [statement(item, TAXON_RANK, rank)] if rank else []
    number = int(item[1:])
    return Item(id=item, page_id=number, revision=number, entity=Entity(labels=labels, statements=statements(*told)))


def _usages() -> Iterator[Usage]:
    """Yield GBIF's usages of the species, of all that is above them, and of their synonyms."""
    known: set[int] = set()
    made_up = FIRST_MADE_UP_KEY
    for species in SPECIES:
        steps = [(a.rank.upper(), a.name, int(a.gbif_key)) for a in species.lineage]
        for place, (rank, name, key) in enumerate(steps, 1):
            if key not in known:
                known.add(key)
                yield Usage(key=key, scientific_name=name, canonical_name=name, rank=rank, higher=tuple(steps[:place]))
        accepted = _accepted(species, steps)
        yield accepted
        for old in species.synonyms:
            name, authorship = parsed(old)
            key = int(SYNONYM_KEYS.get(name, "0")) or made_up
            made_up += key == made_up
            yield replace(
                accepted,
                key=key,
                scientific_name=old,
                canonical_name=name,
                authorship=authorship,
                status="SYNONYM",
                accepted=accepted.key,
                vernaculars=(),
            )
    yield Usage(key=5219404, scientific_name="Panthera leo", canonical_name="Panthera leo", rank="SPECIES")


def _accepted(species: Species, steps: list[tuple[str, str, int]]) -> Usage:
    key = int(species.gbif_key)
    return Usage(
        key=key,
        scientific_name=f"{species.name} {species.authorship}".strip(),
        canonical_name=species.name,
        authorship=species.authorship,
        rank="SPECIES",
        higher=(*steps, ("SPECIES", species.name, key)),
        vernaculars=tuple(({"nl": "nld"}.get(language, language), name) for language, name in species.vernaculars),
    )


def _single(plates: Sequence[Plate]) -> list[Plate]:
    return [p for p in plates if len(p.species) == 1]


def _broken_acts(plates: Sequence[Plate]) -> Iterator[Act]:
    """Yield a tag with an item that does not exist, on the third plate of one species."""
    for plate in _single(plates)[2:3]:
        yield replace(_stray(NO_SUCH_ITEM), plate=plate.number, moment=datetime(2021, 12, 30, 12, 0, 0))


def _with_broken_images(plates: Sequence[Plate], files: list[File]) -> list[File]:
    """Return the files with the first plate's image gone, and in place of the second's something that is no image."""
    gone, unreadable = (p.title for p in _single(plates)[:2])
    garbage = b"This is not a picture. " * 40
    replaced = {"sha1": _sha1(garbage), "size_bytes": len(garbage), "image": garbage}
    return [
        replace(f, image=None) if f.title == gone else replace(f, **replaced) if f.title == unreadable else f  # type: ignore[arg-type]
        for f in files
    ]

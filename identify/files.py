"""Images from the command line. In: files, folders, addresses, manifests, a model. Out: one plain answer an object.

Answers are written down as they come (``identify.journal``), so that a run that was killed goes on where it stopped.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from identify.decide import PLAIN, Asked
from identify.information import Information
from identify.modelfolders import folder_of
from identify.pipeline import Progress
from identify.runtime import MOST_OF_ONE, Classifier, Source, identify_objects
from linkeddata.decoding import Limits
from linkeddata.errors import ServiceError, UsageError
from linkeddata.ids import content_id
from linkeddata.records import Failure, Identification, MediaFile
from linkeddata.settings import Settings
from linkeddata.tablefiles import reading, text_of

IMAGES = frozenset({".jpg", ".jpeg", ".png", ".tif", ".tiff", ".gif", ".webp", ".bmp", ".jp2"})
"""Endings by which images are found in a folder; a file that is named is tried whatever its ending."""
TABLES = frozenset({".csv", ".tsv", ".xlsx", ".parquet"})
"""Endings of manifests."""
FILE_COLUMNS = ("file", "path", "url", "image", "filename")
OBJECT_COLUMNS = ("object", "observation", "specimen", "group")
NUMBER_COLUMNS = ("object_number", "inventory_number", "objectnumber", "objectnummer", "inventarisnummer")

Fetch = Callable[[str], bytes]
"""Brings the bytes at an address; raises ``ServiceError``."""


@dataclass(frozen=True, slots=True)
class Address:
    """An image on the web, read when it is wanted."""

    url: str
    fetch: Fetch

    def read_bytes(self) -> bytes:
        """Return the bytes. Raises ``OSError`` where they cannot be had."""
        try:
            return self.fetch(self.url)
        except ServiceError as error:
            raise OSError(str(error)) from error


@dataclass(frozen=True, slots=True)
class Item:
    """One object to be named: how it is called, its images, its number in the museum's system."""

    name: str
    sources: tuple[Path | Address, ...]
    number: str = ""

    @property
    def key(self) -> str:
        """What tells this question from others: the images' names, sizes and moments."""
        return content_id(self.name, *map(_stamp, self.sources))

    @property
    def media(self) -> MediaFile:
        """The object as a file: its image, or all of them under one name."""
        iris = [one.url if isinstance(one, Address) else one.resolve().as_uri() for one in self.sources]
        iri = iris[0] if len(iris) == 1 else f"urn:deboodt:observation:{content_id(*iris)}"
        return MediaFile(iri=iri, title=Path(self.name).name or self.name, inventory_number=self.number)


def opened(settings: Settings, model: str) -> Classifier:
    """Return a model as ``modelfolders`` finds it. Raises ``BundleError``."""
    from identify.bundle import open_bundle

    limits = Limits(settings.max_image_bytes, settings.max_image_pixels)
    information = Information(settings.information_path)
    return Classifier(open_bundle(folder_of(model, settings.home_path)), limits, traits=information.traits)


def items_of(named: Iterable[str], fetch: Fetch) -> Iterator[Item]:
    """Yield what is to be named: files, the images in folders, addresses, and the rows of manifests.

    Raises ``UsageError`` for a manifest without a column of files, or an object of too many images.
    """
    for name in named:
        path = Path(name)
        if name.startswith(("http://", "https://")):
            yield Item(name, (Address(name, fetch),))
        elif path.suffix.lower() in TABLES and path.is_file():
            yield from _of_manifest(path, fetch)
        else:
            for file in found([path]):
                yield Item(str(file), (file,))


def identify_items(
    classifier: Classifier,
    items: Sequence[Item],
    *,
    moment: str,
    progress: Progress,
    asked: Asked = PLAIN,
    done: int = 0,
) -> Iterator[dict[str, Any]]:
    """Yield an answer for each item: the identification's fields, or ``lost`` with the reason; always with ``path``.

    ``done`` is how many were answered before, for the progress.
    """
    asking: list[tuple[MediaFile, Sequence[Source]]] = [(item.media, item.sources) for item in items]
    answers = identify_objects(classifier, asking, moment=moment, asked=asked)
    total = done + len(items)
    for number, (item, (answer, lost)) in enumerate(zip(items, answers, strict=True), done + 1):
        progress("identify", number, total)
        row = {"path": item.name, "key": item.key, **_plain(answer)}
        if item.number:
            row["object_number"] = item.number
        if len(item.sources) > 1:
            row["images"] = [one.url if isinstance(one, Address) else str(one) for one in item.sources]
            row["lost_images"] = [f"{one.subject}: {one.reason} {one.detail}".strip() for one in lost]
        yield row


def found(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield the files that are named and the images in the folders that are named, each folder in order of name."""
    for path in paths:
        if path.is_dir():
            yield from sorted(entry for entry in path.rglob("*") if entry.suffix.lower() in IMAGES and entry.is_file())
        else:
            yield path


def line_of(answer: dict[str, Any]) -> str:
    """Return one line for people."""
    if "lost" in answer:
        return f"{answer['path']}: {answer['lost']} {answer['detail']}".rstrip()
    if answer["label"]:
        ids = " ".join(filter(None, [answer["item"], answer["gbif_key"] and f"gbif:{answer['gbif_key']}"]))
        word = f" {answer['word']}" if answer["word"] else ""
        return f"{answer['path']}: {answer['label']} ({answer['rank']}){word} {answer['certainty']:.0%}  {ids}"
    return f"{answer['path']}: {answer['word'] or 'unknown'} ({answer['rule']})"


def _of_manifest(path: Path, fetch: Fetch) -> Iterator[Item]:
    """Yield the objects of a table: rows that follow each other and name the same object are one."""
    with reading(path) as table:
        columns = [name.strip().lower() for name in table.columns]
        file_at = _column(columns, FILE_COLUMNS)
        if file_at < 0:
            raise UsageError(f"{path}: no column of files ({', '.join(FILE_COLUMNS)}) among {', '.join(columns)}")
        object_at, number_at = _column(columns, OBJECT_COLUMNS), _column(columns, NUMBER_COLUMNS)
        open_: Item | None = None
        for row in table.rows:
            cells = [text_of(cell).strip() for cell in row.cells]
            if not cells[file_at]:
                continue
            number = cells[number_at] if number_at >= 0 else ""
            one = Item(cells[file_at], (_source(path, cells[file_at], fetch),), number)
            name = cells[object_at] if object_at >= 0 else ""
            if name and open_ is not None and open_.name == name:
                open_ = replace(open_, sources=open_.sources + one.sources)
                if len(open_.sources) > MOST_OF_ONE:
                    raise UsageError(f"{path}, row {row.number}: {name} has more than {MOST_OF_ONE} images")
                continue
            if open_ is not None:
                yield open_
            open_ = replace(one, name=name) if name else one
        if open_ is not None:
            yield open_


def _column(columns: Sequence[str], names: Sequence[str]) -> int:
    return next((columns.index(name) for name in names if name in columns), -1)


def _source(manifest: Path, name: str, fetch: Fetch) -> Path | Address:
    if name.startswith(("http://", "https://")):
        return Address(name, fetch)
    return manifest.parent / name  # an absolute path stays as it is


def _stamp(source: Path | Address) -> str:
    if isinstance(source, Address):
        return source.url
    try:
        stat = source.stat()
    except OSError:
        return str(source)
    return f"{source} {stat.st_size} {stat.st_mtime_ns}"


def _plain(answer: Identification | Failure) -> dict[str, Any]:
    if isinstance(answer, Failure):
        return {"lost": answer.reason, "detail": answer.detail}
    return asdict(answer)

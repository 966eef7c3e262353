"""The words that go with a dataset: a datasheet, and whose pictures are in it. In: rows, figures, about. Out: Markdown.

The datasheet asks what Gebru and others ask (Datasheets for Datasets, arXiv:1803.09010), as far as it can be answered
from what is known; what a person alone knows is not made up. Hugging Face reads the lines before it.
"""

from collections import defaultdict
from collections.abc import Sequence

from harvest.datasets.about import About
from harvest.datasets.croissant import cite_as
from harvest.datasets.figures import Figures
from harvest.datasets.manifest import Example
from harvest.datasets.revision import Revision
from harvest.datasets.versions import in_short

SHOWN = 12


def datasheet(about: About, figures: Figures, version: str, revised: Revision | None = None) -> str:
    """Return the datasheet."""
    smallest, middle, largest = figures.balance
    simulated = "\n**The images are painted and the crowd is simulated: nothing here is evidence.**\n"
    return f"""---
pretty_name: {_yaml(about.title)}
task_categories: [image-classification]
tags: [croissant, biodiversity, natural-history, illustration]
size_categories: ["{_size(figures.images)}"]
---

# {about.title}
{simulated if about.simulated else ""}
{" ".join(filter(None, (about.description, about.origin)))}

{figures.images:,} images of {figures.classes:,} classes. Version `{version}`.

## Motivation

To train and test models that recognise species, with labels whose origin is known and sides that share no specimen,
series or maker.

## Composition

An example is one published image and the taxon that people tagged on it. A class has from {smallest:,} to {largest:,}
images, {middle:,} in the middle. {figures.groups:,} groups (specimen, series or maker) stand whole on one side.

{_table("side", "images", figures.sides)}
{_table("label status", "images", figures.statuses)}
## Collection

{about.origin} {_asked(about)}{_taken(about)}

{_table("source", "images", figures.sources[:SHOWN])}
## What was left out

{_table("reason", "files", figures.losses) if figures.losses else "Nothing."}
`dataset.json` lists every file with its reason.

## Licences

Every image has its own licence and credit line: `CREDITS.md`, and the columns `licence` and `credit` of the manifest.
{_said_licence(about)}
{_table("licence", "images", figures.licences)}
## Uses and limits

Drawings show what their makers saw and knew; a name on an old plate may be wrong, and a tagger may be. Models that
learned here know the makers of these pictures better than others: judge them by the side `test`, whose groups training
never saw.

## Maintenance

A tag that is withdrawn, a licence that changes or a label that is corrected makes a new version with another content
hash, which says what changed.
{_changed(revised)}
## Citation

```bibtex
{cite_as(about, version)}
```
"""


def _changed(revised: Revision | None) -> str:
    if revised is None:
        return ""
    told = f"This one comes after `{revised.of}`: {in_short(revised.difference)}. `changes.json` lists each."
    return f"\n{told}\n"


def _yaml(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _size(images: int) -> str:
    """Return the size as Hugging Face's cards name it.

    >>> _size(411), _size(20_000)
    ('n<1K', '10K<n<100K')
    """
    steps = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
    return next((name for most, name in steps if images < most), "1M<n<10M")


def _asked(about: About) -> str:
    return f"The query:\n\n```sparql\n{about.query.strip()}\n```\n\n" if about.query else ""


def _taken(about: About) -> str:
    if about.table:
        return "Pictures lay beside it; each could be decoded, and is known by the checksum of its bytes."
    return "Images were fetched as they were published and verified by checksum."


def _said_licence(about: About) -> str:
    return f"Labels and tables: {about.licence}\n" if about.licence else ""


def _table(first: str, second: str, rows: Sequence[tuple[str, int]]) -> str:
    lines = [f"| {first} | {second} |", "|---|---|", *(f"| {_cell(name)} | {number:,} |" for name, number in rows)]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def credits_of(examples: Sequence[Example], people: Sequence[str] = ()) -> str:
    """Return whose pictures these are: by licence and maker, each image with its page; and who named what they show."""
    by_licence: dict[str, dict[str, list[Example]]] = defaultdict(lambda: defaultdict(list))
    for example in examples:
        by_licence[example.licence][example.credit or example.creator or "maker not named"].append(example)
    lines = ["# Credits", ""]
    for licence in sorted(by_licence):
        lines += [f"## {licence}", ""]
        for credit, theirs in sorted(by_licence[licence].items()):
            lines += [f"- {_cell(credit)}"]
            lines += [f"  - {e.page or e.file} ({e.path})" for e in sorted(theirs, key=lambda e: e.path)]
        lines.append("")
    if people:
        lines += ["## Who said what they show", "", "And many more, who are not named.", ""]
        lines += [*(f"- {_cell(one)}" for one in people), ""]
    return "\n".join(lines)

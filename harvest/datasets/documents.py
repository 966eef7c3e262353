"""Everything that goes with a dataset's rows. In: rows, classes, losses, what it is about. Out: bytes by path."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence

from harvest.datasets.about import About
from harvest.datasets.croissant import TABLES, croissant
from harvest.datasets.datasheet import credits_of, datasheet
from harvest.datasets.duplicates import Compared
from harvest.datasets.figures import figures_of
from harvest.datasets.leakage import FILE as LEAKAGE
from harvest.datasets.leakage import certificate
from harvest.datasets.manifest import DatasetClass, Example
from harvest.datasets.report import Read, report
from harvest.datasets.revision import Revision
from harvest.datasets.tables import table, to_parquet
from linkeddata.records import Failure, Taxon

CHECKSUMS = "SHA1SUMS"


def documents(
    about: About,
    examples: Sequence[Example],
    classes: Sequence[DatasetClass],
    lost: Iterable[Failure],
    texts: Mapping[str, str],
    version: str,
    checklist: Iterable[Taxon],
    images: Compared,
    revised: Revision | None,
    read: Read,
) -> dict[str, bytes]:
    """Return Parquet, Croissant, datasheet, credits, certificate, report, checksums; ``texts`` are the core's own.

    ``read`` gives an example's image, ``checklist`` the species that the report's coverage is counted against,
    ``images`` how they compare, in the order of ``examples``, ``revised`` what changed since the version before.
    """
    figures = figures_of(examples, classes, (failure.reason for failure in lost), checklist)
    made = {name: text.encode() for name, text in texts.items()}
    made["manifest.parquet"] = to_parquet(table(examples))
    sizes = {name: (len(made[name]), hashlib.sha256(made[name]).hexdigest()) for name in TABLES}
    made["croissant.json"] = croissant(about, examples, classes, figures, version, sizes, revised)
    made["README.md"] = datasheet(about, figures, version, revised).encode()
    made["CREDITS.md"] = credits_of(examples, about.people).encode()
    certified = certificate(examples, images, version)
    made[LEAKAGE] = (json.dumps(certified, ensure_ascii=False, indent=1) + "\n").encode()
    made |= report(about, examples, classes, figures, version, read, revised)
    made[CHECKSUMS] = checksums(examples, made)
    return made


def checksums(examples: Sequence[Example], files: Mapping[str, bytes]) -> bytes:
    """Return the SHA-1 of every file in the folder, as ``sha1sum --check`` reads it.

    >>> checksums([], {"a.txt": b"a"})
    b'86f7e437faa5a7fce15d1ddcb9eaeaea377667b8  a.txt\\n'
    """
    sums = {example.path: example.copy_sha1 for example in examples}
    sums |= {name: hashlib.sha1(data, usedforsecurity=False).hexdigest() for name, data in files.items()}
    return "".join(f"{sums[path]}  {path}\n" for path in sorted(sums)).encode()

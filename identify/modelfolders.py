"""Where the versions of a model lie. In: what somebody calls it. Out: the folder of one version.

A model's versions lie in its folder by number; candidates, which nothing serves, under ``candidates/``. Models that are
served lie in ``models/`` of the home folder and are called by name.
"""

from pathlib import Path

from linkeddata.errors import BundleError

CANDIDATES = "candidates"


def folder_of(called: str, home: Path, *, candidates: bool = False) -> Path:
    """Return where the version called ``NAME``, ``FOLDER`` (its newest) or either with ``@VERSION`` lies.

    A folder may be a version's own. With ``candidates`` these are found, too, by their version. Raises ``BundleError``.
    """
    if (Path(called) / "bundle.json").is_file():
        return Path(called)
    name, _, version = called.partition("@")
    for folder in (Path(name), home / "models" / name):  # a dataset's folder may be called like the model
        wanted = version or newest(folder)
        places = [folder / wanted, *([folder / CANDIDATES / wanted] if candidates else [])] if wanted else []
        for place in places:
            if (place / "bundle.json").is_file():
                return place
    raise BundleError(
        f"no model {called!r}: neither a bundle, nor a folder of versions, nor a model in {home / 'models'}"
    )


def newest(folder: Path) -> str:
    """Return the highest version in a model's folder, ``""`` where there is none."""
    versions = [entry.name for entry in folder.iterdir() if entry.name.isdigit()] if folder.is_dir() else []
    return max(versions, key=int, default="")


def next_version(folder: Path) -> str:
    """Return the number of the next version in a model's folder, candidates counted."""
    return str(max(int(newest(folder) or 0), int(newest(folder / CANDIDATES) or 0)) + 1)

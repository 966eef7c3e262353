"""The harvest measured, part by part: ``python -m benchmarks.harvest [PART…]``, all parts where none is named.

In: the folder with recorded data (``--data``, which a part may want to build on) and a folder for what is made on the
way (``--folder``; a temporary one without it). Out: one JSON line a figure, on stdout. A part is a module with
``measure(data: Path, folder: Path) -> None``; its figures are its own business.
"""

import argparse
import importlib
import tempfile
from pathlib import Path

PARTS: dict[str, str] = {
    "requests": "benchmarks._harvest_requests",
    "dumps": "benchmarks._harvest_dumps",
    "sparql": "benchmarks._harvest_sparql",
    "images": "benchmarks._harvest_images",
    "growth": "benchmarks._harvest_growth",
}
"""The parts in their order: name → module. A module is loaded only when its part is measured."""

RECORDED = Path(__file__).resolve().parents[1] / "../shared/data"


def measure(parts: list[str], data: Path, folder: Path) -> None:
    """Measure the named parts, each in a folder of its own below ``folder``."""
    for part in parts:
        place = folder / part
        place.mkdir(parents=True, exist_ok=True)
        importlib.import_module(PARTS[part]).measure(data, place)


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", nargs="*", help=f"which of {', '.join(PARTS)}")
    parser.add_argument("--data", type=Path, default=RECORDED, help="folder with recorded data")
    parser.add_argument("--folder", type=Path, help="folder for what is made on the way; kept afterwards")
    given = parser.parse_args()
    unknown = sorted(set(given.part) - set(PARTS))
    if unknown:
        parser.error(f"no part {unknown[0]!r}; the parts are {', '.join(PARTS)}")
    wanted = [part for part in PARTS if part in given.part or not given.part]
    if given.folder:
        measure(wanted, given.data, given.folder)
        return
    with tempfile.TemporaryDirectory() as folder:
        measure(wanted, given.data, Path(folder))


if __name__ == "__main__":
    main()

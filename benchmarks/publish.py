"""Publishing measured, part by part: ``python -m benchmarks.publish [PART…]``, all parts where none is named.

In: the folder with recorded data (``--data``; without it the sample's species are identified), the sizes of the stores
in identifications (``--sizes``), and a folder where they are made (``--folder``; a temporary one without it, else what
is there is used again). Out: one JSON line a figure, on stdout. A part is a module with
``measure(data: Path, folder: Path, sizes: list[int]) -> None``. Everything is asked over loopback.
"""

import argparse
import importlib
import tempfile
from pathlib import Path

from benchmarks._figure import figure
from benchmarks._publish_made import made

PARTS: dict[str, str] = {
    "documents": "benchmarks._publish_documents",
    "pages": "benchmarks._publish_pages",
    "dumps": "benchmarks._publish_dumps",
    "feed": "benchmarks._publish_feed",
    "sparql": "benchmarks._publish_sparql",
}
"""The parts in their order: name → module. A module is loaded only when its part is measured."""
SIZES = (10_000, 100_000, 1_000_000)
RECORDED = Path(__file__).resolve().parents[1] / "../shared/data"
PUT_PER_S = 10_000


def measure(parts: list[str], data: Path, folder: Path, sizes: list[int]) -> None:
    """Make the stores, then measure the named parts on them."""
    for size in sizes:
        store = made(data, folder, size)
        if store.seconds:
            figure(
                f"store written, {size:,} identifications",
                store.records / store.seconds,
                "records/s",
                beside="whole, in seconds",
                beside_value=store.seconds,
                at_least=PUT_PER_S,
            )
    for part in parts:
        importlib.import_module(PARTS[part]).measure(data, folder, sizes)


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", nargs="*", help=f"which of {', '.join(PARTS)}")
    parser.add_argument("--data", type=Path, default=RECORDED, help="folder with recorded data")
    parser.add_argument("--folder", type=Path, help="folder for the stores; kept afterwards")
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)), help="identifications, with commas between")
    given = parser.parse_args()
    unknown = sorted(set(given.part) - set(PARTS))
    if unknown:
        parser.error(f"no part {unknown[0]!r}; the parts are {', '.join(PARTS)}")
    wanted = [part for part in PARTS if part in given.part or not given.part]
    sizes = sorted(int(size) for size in given.sizes.split(","))
    if given.folder:
        measure(wanted, given.data, given.folder, sizes)
        return
    with tempfile.TemporaryDirectory() as folder:
        measure(wanted, given.data, Path(folder), sizes)


if __name__ == "__main__":
    main()

"""Where the taxa are on the plates, as COCO. In: a dataset on disk, a folder. Out: a JSON file a side.

Only examples of which somebody said where a class is (P2677 on Commons) are in it; the images stay where they are and
are named by their paths (https://cocodataset.org/#format-data). Boxes are in pixels of the image in the folder.
"""

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from PIL import Image

from harvest.datasets.manifest import SPLITS, Dataset, Example
from harvest.datasets.sharding import names_of, numbers_of
from harvest.records import Progress

Json = dict[str, Any]

_REGION = re.compile(r"pct:(\d+(?:\.\d+)?),(\d+(?:\.\d+)?),(\d+(?:\.\d+)?),(\d+(?:\.\d+)?)")


def write_coco(data: Dataset, out: Path, progress: Progress) -> list[Path]:
    """Write ``instances_SIDE.json`` for each side that has regions, and return the paths."""
    written = []
    for done, side in enumerate(SPLITS, 1):
        shown = [example for example in data.split(side) if any(box_of(region) for _, region in example.regions)]
        if shown:
            path = out / f"instances_{side}.json"
            path.write_text(json.dumps(_document(data, shown), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
            written.append(path)
        progress("coco", done, len(SPLITS))
    return written


def box_of(region: str) -> tuple[float, float, float, float] | None:
    """Return left, top, width and height in percent of the image, ``None`` for what is no such region.

    >>> box_of("pct:10,20.5,30,40"), box_of("somewhere")
    ((10.0, 20.5, 30.0, 40.0), None)
    """
    found = _REGION.fullmatch(region)
    if not found:
        return None
    left, top, width, height = map(float, found.groups())
    inside = width > 0 and height > 0 and left + width <= 100.01 and top + height <= 100.01
    return (left, top, width, height) if inside else None


def _document(data: Dataset, shown: Iterable[Example]) -> Json:
    shown = list(shown)
    licences = sorted({example.licence for example in shown})
    images, annotations = [], list[Json]()
    for number, example in enumerate(shown, 1):
        with Image.open(data.folder / example.path) as image:
            width, height = image.size
        images.append(
            {
                "id": number,
                "file_name": example.path,
                "width": width,
                "height": height,
                "license": licences.index(example.licence) + 1,
                "coco_url": example.original,
                "date_captured": example.created,
                "credit": example.credit,
            }
        )
        annotations += _boxes(data, example, number, (width, height), len(annotations))
    categories = [
        {"id": number, "name": name, "supercategory": one.lineage[-1].name if one.lineage else ""}
        for number, (one, name) in enumerate(zip(data.classes, names_of(data), strict=True))
    ]
    return {
        "info": {"version": data.sha256, "description": "Regions of taxa on plates"},
        "licenses": [{"id": number, "url": licence, "name": licence} for number, licence in enumerate(licences, 1)],
        "categories": categories,
        "images": images,
        "annotations": annotations,
    }


def _boxes(data: Dataset, example: Example, image: int, size: tuple[int, int], before: int) -> Iterator[Json]:
    numbers = numbers_of(data)
    known = ((numbers[concept], box_of(region)) for concept, region in example.regions if concept in numbers)
    boxes = ((category, box) for category, box in known if box)
    for number, (category, (left, top, width, height)) in enumerate(boxes, before + 1):
        across, down = size[0] / 100, size[1] / 100
        box = [round(left * across, 2), round(top * down, 2), round(width * across, 2), round(height * down, 2)]
        area = round(box[2] * box[3], 2)
        yield {"id": number, "image_id": image, "category_id": category, "bbox": box, "area": area, "iscrowd": 0}

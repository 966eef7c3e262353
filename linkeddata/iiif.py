"""A picture and what was said of it, for IIIF viewers. In: a media file, documents. Out: Presentation API 3 resources.

Source: https://iiif.io/api/presentation/3.0/. Viewers show annotations whose bodies are text and whose target is the
canvas; so each identification and label is said once more in that form, with a link to its own document.
"""

import re

from linkeddata import iris
from linkeddata.nodes import Document
from linkeddata.records import Identification, Label, MediaFile

PRESENTATION = "http://iiif.io/api/presentation/3/context.json"
_PERCENT = re.compile(r"xywh=percent:([\d.]+),([\d.]+),([\d.]+),([\d.]+)")


def manifest(media: MediaFile, base: str) -> Document:
    """Return the smallest manifest of one file: one canvas, painted with the original, and where its annotations are.

    The file's size in pixels must be known: a canvas without one is not valid.
    """
    uri = iris.media_uri(base, media.iri)
    size = {"width": media.width_px, "height": media.height_px}
    image = {"id": iris.iri_of(media.original) or f"{uri}/image", "type": "Image", **size}
    canvas = f"{uri}/canvas"
    painting = {
        "id": f"{canvas}/painting",
        "type": "Annotation",
        "motivation": "painting",
        "body": image | ({"format": media.mime} if media.mime else {}),
        "target": canvas,
    }
    label = {"none": [media.title or media.iri]}
    said = {
        "rights": iris.iri_of(media.licence),
        "requiredStatement": {"label": {"en": ["Credit"]}, "value": {"none": [media.credit]}} if media.credit else "",
        "homepage": [{"id": iris.iri_of(media.page), "type": "Text", "label": label}] if media.page else "",
    }
    return {
        "@context": PRESENTATION,
        "id": f"{uri}/manifest.json",
        "type": "Manifest",
        "label": label,
        **{key: value for key, value in said.items() if value},
        "seeAlso": [{"id": uri, "type": "Dataset", "format": "application/ld+json"}],
        "items": [
            {
                "id": canvas,
                "type": "Canvas",
                **size,
                "items": [{"id": f"{canvas}/page", "type": "AnnotationPage", "items": [painting]}],
                "annotations": [{"id": f"{uri}/annotations.json", "type": "AnnotationPage"}],
            }
        ],
    }


def annotations(media: MediaFile, said: list[Identification | Label], base: str) -> Document:
    """Return what was said of a file as an AnnotationPage on its canvas."""
    uri = iris.media_uri(base, media.iri)
    return {
        "@context": PRESENTATION,
        "id": f"{uri}/annotations.json",
        "type": "AnnotationPage",
        "items": [_annotation(one, media, f"{uri}/canvas", base) for one in said],
    }


def _annotation(said: Identification | Label, media: MediaFile, canvas: str, base: str) -> Document:
    kind = "identifications" if isinstance(said, Identification) else "labels"
    uri = iris.uri(base, kind, said.id)
    region = canvas_region(said.region, media) if isinstance(said, Identification) else ""
    return {
        "id": f"{uri}#iiif",
        "type": "Annotation",
        "motivation": "tagging",  # the one of ours that viewers show without being told
        "body": {"type": "TextualBody", "value": in_words(said), "format": "text/plain"},
        "target": f"{canvas}#{region}" if region else canvas,
        "seeAlso": [{"id": uri, "type": "Dataset", "format": "application/ld+json"}],
    }


def in_words(said: Identification | Label) -> str:
    """Return what was said as one line for people.

    >>> in_words(Identification(id="a", file="f", label="Vanessa cardui", certainty=0.87, model="m", version="1"))
    'Vanessa cardui (m 1, certainty 0.87, unverified)'
    """
    if isinstance(said, Label):
        return f"{said.name or said.concept} ({said.support} of {said.voters} people, {said.status or 'uncounted'})"
    who = f"{said.model} {said.version}".strip() or "a person"
    sure = f", certainty {said.certainty:.2f}" if said.label else ""
    return f"{said.label or 'not known'} ({who}{sure}, {said.status})"


def canvas_region(region: str, media: MediaFile) -> str:
    """Return a region in percent in the canvas' pixels, ``""`` for any other.

    >>> canvas_region("xywh=percent:10,20,50,25", MediaFile(iri="f", width_px=200, height_px=100))
    'xywh=20,20,100,25'
    """
    found = _PERCENT.fullmatch(region)
    if not found:
        return ""
    x, y, width, height = (float(value) / 100 for value in found.groups())
    across, down = media.width_px, media.height_px
    return f"xywh={round(x * across)},{round(y * down)},{round(width * across)},{round(height * down)}"

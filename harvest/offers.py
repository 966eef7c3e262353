"""Where an image is to be had. In: files, the width wanted. Out: for each an ``Offer``, or why there is none.

Wikimedia wants thumbnails to be fetched rather than originals, in its standard widths, and at the address that the API
answers (https://wikitech.wikimedia.org/wiki/Robot_policy): addresses of thumbnails have moved before. So the API is
asked again when images are fetched, fifty files at a time, and says in passing what has become of a file since the
harvest. Images elsewhere are where their record says.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from harvest.imagestore import is_sha1
from harvest.wiki import Api, Params
from linkeddata.client import Client
from linkeddata.errors import ServiceError, UnreachableError
from linkeddata.records import MediaFile
from linkeddata.settings import Settings

IMAGE_MISSING = "image missing"
UNREACHABLE = "image not reachable"
WRONG_SHA1 = "checksum differs"
REFUSED = "image refused"


class Trouble(NamedTuple):
    """Why an image is not here: a reason that can be counted, and what happened."""

    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Offer:
    """An address, and what its bytes must be."""

    url: str
    sha1: str = ""
    """Of the bytes; empty where nobody has told it: for a thumbnail, or a file outside Commons."""
    of: str = ""
    """SHA-1 of the original that the bytes are a thumbnail of; empty for an original."""
    width_px: int = 0
    height_px: int = 0
    """What a thumbnail measures."""


def offers(client: Client, settings: Settings, files: Iterable[MediaFile], width_px: int) -> dict[str, Offer | Trouble]:
    """Return by IRI where each file's image is to be had, at most 50 files; ``width_px`` 0 asks for originals."""
    found: dict[str, Offer | Trouble] = {}
    asked: dict[int, MediaFile] = {}
    for media in files:
        page_id = _page_id(media.iri, settings) if width_px > 0 else 0
        if page_id:
            asked[page_id] = media
        elif media.original:
            found[media.iri] = Offer(media.original, media.sha1)
        else:
            found[media.iri] = Trouble(IMAGE_MISSING, "no address")
    if asked:
        found |= _thumbnails(Api.of(client, settings), asked, width_px)
    return found


def _page_id(iri: str, settings: Settings) -> int:
    """Return the page id of a file on Commons, 0 for a file elsewhere."""
    number = iri.removeprefix(f"{settings.commons_entity}M")
    return int(number) if number != iri and number.isdecimal() and number.isascii() else 0


def _thumbnails(api: Api, asked: Mapping[int, MediaFile], width_px: int) -> dict[str, Offer | Trouble]:
    try:
        images = _image_infos(api, list(asked), width_px)
    except UnreachableError as error:
        return {media.iri: Trouble(UNREACHABLE, str(error)) for media in asked.values()}
    except ServiceError as error:
        return {media.iri: Trouble(REFUSED, str(error)) for media in asked.values()}
    return {media.iri: _offer(media, images.get(page_id, {})) for page_id, media in asked.items()}


def _image_infos(api: Api, page_ids: Sequence[int], width_px: int) -> dict[int, Mapping[str, Any]]:
    params: Params = {
        "pageids": "|".join(map(str, page_ids)),
        "prop": "imageinfo",
        "iiprop": "url|size|sha1|mime",
        "iiurlwidth": width_px,
    }
    found: dict[int, Mapping[str, Any]] = {}
    for payload in api.query(params):
        for page in (payload.get("query") or {}).get("pages") or ():
            if page.get("imageinfo"):
                found[int(page["pageid"])] = page["imageinfo"][0]
    return found


def _offer(media: MediaFile, image: Mapping[str, Any]) -> Offer | Trouble:
    """Return what the API offers: the thumbnail, or the original where that is no wider."""
    if not image.get("url") or image.get("filemissing"):
        return Trouble(IMAGE_MISSING, f"{media.title or media.iri} has no file any more")
    sha1 = str(image.get("sha1", ""))
    if media.sha1 and sha1 != media.sha1:
        return Trouble(WRONG_SHA1, f"{image['url']}: {sha1} since the harvest, which had {media.sha1}")
    if image.get("thumburl") in (None, "", image["url"]):
        return Offer(str(image["url"]), sha1)
    if not is_sha1(sha1):
        return Trouble(REFUSED, f"{image['url']}: no SHA-1")
    return Offer(str(image["thumburl"]), "", sha1, int(image["thumbwidth"]), int(image["thumbheight"]))

"""Where an image is, by the IIIF Image API. In: what a manifest says of an image, and a wish. Out: its address.

Versions 1, 2 and 3 (https://iiif.io/api/image/3.0/). ``full`` is what every server of version 2 understands and ``max``
what every server of version 3 does; a smaller size can be asked for where the compliance level or the list of sizes
says so. A server is asked for its ``info.json`` only when a smaller image is wanted and the manifest does not say
enough.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from harvest.lists import entries, objects, own_id, text

Json = Mapping[str, Any]
Ask = Callable[[str], Json]
"""Returns the ``info.json`` at an address."""

LIMITS = ("maxWidth", "maxHeight", "maxArea")


@dataclass(frozen=True, slots=True)
class Address:
    """Where an image is and what is known of it there; sizes are 0 where they are not known."""

    url: str
    mime: str = ""
    width_px: int = 0
    height_px: int = 0


def image_address(body: Json, width_px: int, ask: Ask) -> Address:
    """Return where an image is, at most ``width_px`` wide if that is not 0; ``url`` is ``""`` where nothing says.

    ``body`` is the image as a canvas of any version of the Presentation API has it. Raises what ``ask`` raises.
    """
    service = _service(body)
    if not service:
        return Address(own_id(body), text(body.get("format")), number(body.get("width")), number(body.get("height")))
    base = own_id(service).removesuffix("/info.json").rstrip("/")
    version = _version(service)
    size, about = _size(service, version, base, width_px, ask)
    quality = "native" if version == 1 else "default"
    whole = size in ("full", "max") and not _limited(about)
    return Address(
        url=f"{base}/full/{size}/0/{quality}.jpg",
        mime="image/jpeg",
        width_px=number(about.get("width")) if whole else 0,
        height_px=number(about.get("height")) if whole else 0,
    )


def number(value: Any) -> int:
    """Return a whole number, 0 for what is none.

    >>> number(12), number("12"), number(None), number(-1)
    (12, 12, 0, 0)
    """
    return int(text(value)) if re.fullmatch(r"\d{1,9}", text(value)) else 0


def _service(body: Json) -> Json:
    """Return the image service of an image, an empty one where there is none."""
    for service in objects(body.get("service")):
        kind = f"{service.get('type', '')} {service.get('@type', '')} {service.get('@context', '')}"
        profile = " ".join(text(one) for one in entries(service.get("profile")))
        if own_id(service) and re.search(r"ImageService|api/image|image-api|\blevel[012]\b", f"{kind} {profile}"):
            return service
    return {}


def _version(service: Json) -> int:
    """Return which version of the Image API a service speaks; what does not say is 2, which most are."""
    told = (
        f"{service.get('type', '')} {service.get('@type', '')} {service.get('@context', '')} {service.get('profile')}"
    )
    found = re.search(r"ImageService(\d)|api/image/(\d)", told)
    if found:
        return int(found[1] or found[2])
    if "image-api" in told:
        return 1
    return 3 if "id" in service else 2


def _size(service: Json, version: int, base: str, width_px: int, ask: Ask) -> tuple[str, Json]:
    """Return the size to ask for, and what is known of the image."""
    if not width_px:
        return _whole(service, version), service
    knows = number(service.get("width")) and (_scales(service) or service.get("sizes"))
    about = service if knows else ask(f"{base}/info.json")
    width = number(about.get("width"))
    if not width or width <= width_px:
        return _whole(about, version), about
    if _scales(about):
        most = number(_limits(about).get("maxWidth"))
        return f"{min(width_px, most or width_px)},", about
    listed = [(number(one.get("width")), number(one.get("height"))) for one in objects(about.get("sizes"))]
    fitting = max((size for size in listed if 0 < size[0] <= width_px), default=None)
    if fitting is None:
        return _whole(about, version), about
    return (f"{fitting[0]},{fitting[1]}" if version == 3 else f"{fitting[0]},"), about


def _whole(about: Json, version: int) -> str:
    return "max" if version == 3 or _limited(about) else "full"


def _limits(about: Json) -> Json:
    """Return where a service says how large it answers: in itself (3) or in the second part of its profile (2)."""
    if any(key in about for key in LIMITS):
        return about
    return next((one for one in objects(about.get("profile")) if any(key in one for key in LIMITS)), {})


def _limited(about: Json) -> bool:
    return bool(_limits(about))


def _scales(about: Json) -> bool:
    """Say whether a service gives any width that it is asked for."""
    profile = entries(about.get("profile"))
    if any(re.search(r"level[12]\b", text(one)) for one in profile):
        return True
    features = [
        *entries(about.get("extraFeatures")),
        *(f for one in objects(profile) for f in entries(one.get("supports"))),
    ]
    return "sizeByW" in features

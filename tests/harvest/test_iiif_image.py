"""Addresses of images by the IIIF Image API: versions, compliance levels, limits, and when info.json is asked for."""

from typing import Any

import pytest

from harvest.iiif_image import Address, image_address

BASE = "https://iiif.example/img/1"
TWO = {"@id": BASE, "@context": "http://iiif.io/api/image/2/context.json"}
LEVEL_2 = "http://iiif.io/api/image/2/level2.json"
SIZES = {"width": 4000, "height": 3000, "sizes": [{"width": 500, "height": 375}, {"width": 1000, "height": 750}]}


def _never(url: str) -> dict[str, Any]:
    raise AssertionError(f"asked for {url}")


@pytest.mark.parametrize(
    ("service", "size"),
    [
        ({"id": BASE, "type": "ImageService3", "profile": "level1"}, "max"),
        ([{"id": f"{BASE}/", "type": "ImageService3", "profile": "level0", "width": 9, "height": 8}], "max"),
        ({**TWO, "profile": LEVEL_2}, "full"),
        ({"@id": BASE, "@type": "ImageService2", "profile": LEVEL_2}, "full"),
        ({**TWO, "profile": [LEVEL_2, {"maxWidth": 2000}]}, "max"),
    ],
)
def test_the_whole_image_is_asked_for_as_its_version_has_it(service: Any, size: str) -> None:
    body = {"id": f"{BASE}/full/843,/0/default.jpg", "type": "Image", "width": 843, "service": service}
    assert image_address(body, 0, _never).url == f"{BASE}/full/{size}/0/default.jpg"


def test_version_1_and_images_without_a_service() -> None:
    one = {"@id": BASE, "profile": "http://library.stanford.edu/iiif/image-api/1.1/compliance.html#level1"}
    assert image_address({"@id": "x", "service": one}, 0, _never).url == f"{BASE}/full/full/0/native.jpg"
    body = {
        "@id": "https://m.example/1.png",
        "format": "image/png",
        "width": 20,
        "height": 10,
        "service": {"@id": "auth"},
    }
    assert image_address(body, 0, _never) == Address("https://m.example/1.png", "image/png", 20, 10)


@pytest.mark.parametrize(
    ("service", "width_px", "size"),
    [
        ({"id": BASE, "type": "ImageService3", "profile": "level1", "width": 4000}, 1000, "1000,"),
        ({"id": BASE, "type": "ImageService3", "profile": "level2", "width": 800}, 1000, "max"),
        ({"id": BASE, "type": "ImageService3", "profile": "level2", "width": 4000, "maxWidth": 600}, 1000, "600,"),
        ({"id": BASE, "type": "ImageService3", "profile": "level0", **SIZES}, 1200, "1000,750"),
        ({"id": BASE, "type": "ImageService3", "profile": "level0", **SIZES}, 100, "max"),
        ({**TWO, "profile": "http://iiif.io/api/image/2/level0.json", **SIZES}, 999, "500,"),
        ({**TWO, "profile": [LEVEL_2.replace("2.json", "0.json"), {"supports": ["sizeByW"]}], **SIZES}, 700, "700,"),
    ],
)
def test_a_smaller_image_without_asking(service: Any, width_px: int, size: str) -> None:
    assert image_address({"service": service}, width_px, _never).url == f"{BASE}/full/{size}/0/default.jpg"


def test_info_json_is_asked_for_when_the_manifest_says_too_little() -> None:
    asked: list[str] = []

    def ask(url: str) -> dict[str, Any]:
        asked.append(url)
        return {"id": BASE, "type": "ImageService3", "profile": "level0", **SIZES}

    body = {"service": {"id": BASE, "type": "ImageService3", "profile": "level0"}}
    assert image_address(body, 600, ask) == Address(f"{BASE}/full/500,375/0/default.jpg", "image/jpeg")
    assert asked == [f"{BASE}/info.json"]

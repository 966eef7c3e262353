"""Credit in the images themselves: what other people's readers find there, and that no picture changed."""

import io
import struct
from dataclasses import fields
from typing import Any
from xml.etree import ElementTree

import pytest
from PIL import Image, IptcImagePlugin

from harvest.datasets.manifest import Example
from harvest.datasets.reserved import reservation
from harvest.datasets.signing import notice, signed

DUBLIN_CORE = "{http://purl.org/dc/elements/1.1/}"
RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
CC_BY = "https://creativecommons.org/licenses/by/4.0/"


def example(**told: Any) -> Example:
    empty = {f.name: () if "tuple" in str(f.type) else "" for f in fields(Example)}
    return Example(**(empty | {"probability": 0.0, "support": 0, "simulated": False} | told))


ROW = example(
    file="https://commons.wikimedia.org/entity/M12",
    page="https://commons.wikimedia.org/wiki/File:Plate_&_12.jpg",
    creator="Maria Sibylla Merian <né>",
    credit="Naturalis Biodiversity Center / Wikimedia Commons",
    licence=CC_BY,
)


def picture(kind: str, mode: str = "RGB", **options: Any) -> bytes:
    out = io.BytesIO()
    Image.radial_gradient("L").resize((40, 31)).convert(mode).save(out, kind, **options)
    return out.getvalue()


KINDS = {
    "jpeg": picture("JPEG"),
    "progressive jpeg": picture("JPEG", progressive=True),
    "png": picture("PNG", "P"),
    "webp": picture("WEBP"),
    "lossless webp": picture("WEBP", "RGBA", lossless=True),
}


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def xmp_of(image: Image.Image) -> ElementTree.Element:
    told = image.info.get("xmp") or image.info["XML:com.adobe.xmp"]
    return ElementTree.fromstring(told if isinstance(told, bytes) else told.encode())  # noqa: S314 - our own


@pytest.mark.parametrize("kind", KINDS)
def test_readers_find_credit_and_licence_and_the_picture_is_the_same(kind: str) -> None:
    before, after = opened(KINDS[kind]), opened(signed(KINDS[kind], ROW))
    assert (after.mode, after.size, after.tobytes()) == (before.mode, before.size, before.tobytes())
    exif = after.getexif()
    assert exif[0x8298] == f"{ROW.credit}; {CC_BY}"
    assert exif[0x013B].encode("latin-1").decode() == ROW.creator
    xmp = xmp_of(after)
    assert xmp.findtext(f".//{DUBLIN_CORE}creator/{RDF}Seq/{RDF}li") == ROW.creator
    assert xmp.findtext(f".//{DUBLIN_CORE}source") == ROW.page
    licence = xmp.find(".//{http://creativecommons.org/ns#}license")
    assert licence is not None
    assert licence.get(f"{RDF}resource") == CC_BY
    assert xmp.findtext(".//{http://ns.adobe.com/xap/1.0/rights/}WebStatement") == CC_BY


def test_a_jpeg_has_iptc_too() -> None:
    told = IptcImagePlugin.getiptcinfo(opened(signed(KINDS["jpeg"], ROW)))
    assert told is not None
    assert told[(2, 80)] == ROW.creator[:32].encode()
    assert told[(2, 116)] == notice(ROW)[:128].encode()


@pytest.mark.parametrize("kind", KINDS)
def test_signing_is_the_same_every_time_and_can_be_done_again(kind: str) -> None:
    once = signed(KINDS[kind], ROW)
    assert once == signed(KINDS[kind], ROW) != KINDS[kind]
    assert opened(signed(once, ROW)).getexif()[0x8298] == notice(ROW)


def test_what_a_file_says_already_stays() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # lies on its side
    exif[0x010F] = "Camera"
    reserving = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        b'<rdf:Description rdf:about="" xmlns:plus="http://ns.useplus.org/ldf/xmp/1.0/">'
        b"<plus:DataMining>http://ns.useplus.org/ldf/vocab/DMI-PROHIBITED</plus:DataMining></rdf:Description>"
        b"</rdf:RDF></x:xmpmeta>"
    )
    for kind in ("JPEG", "PNG", "WEBP"):
        options: dict[str, Any] = {"exif": exif}
        if kind != "PNG":
            options["xmp"] = reserving
        after = signed(picture(kind, **options), ROW)
        assert opened(after).getexif()[0x0112] == 6
        assert opened(after).getexif()[0x010F] == "Camera"
        if kind != "PNG":
            assert reservation(after) == "DMI-PROHIBITED"
            assert xmp_of(opened(after)).findtext(f".//{DUBLIN_CORE}source") == ROW.page


@pytest.mark.parametrize("data", [b"", b"\xff\xd8", b"\xff\xd8\xff\xe1\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF"])
def test_what_is_no_image_of_these_kinds_stays_as_it_is(data: bytes) -> None:
    assert signed(data, ROW) == data


def test_a_packet_too_long_for_a_segment_gives_way() -> None:
    packet = b"http://ns.adobe.com/xap/1.0/\0<rdf:RDF a='1'>" + b" " * 65_000 + b"</rdf:RDF>"
    jpeg = KINDS["jpeg"]
    crowded = jpeg[:2] + struct.pack(">BBH", 0xFF, 0xE1, len(packet) + 2) + packet + jpeg[2:]
    assert xmp_of(opened(signed(crowded, ROW))).findtext(f".//{DUBLIN_CORE}source") == ROW.page

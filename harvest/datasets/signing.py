"""Credit and licence in an image's own metadata. In: its bytes and an example. Out: a copy, the picture untouched.

JPEG gets EXIF, IPTC and XMP, PNG and WebP get XMP and EXIF; not one byte of the picture itself is changed. What a file
says of itself already stays, as far as it is not what is said here. Other kinds of files are not signed: their credit
is in the manifest and in CREDITS alone.

Sources: JPEG, ITU-T T.81 B.1; XMP, ISO 16684-1 and its part 3 (where packets stand); IPTC-IIM 4.2; PNG, third edition;
WebP container, RFC 9649; PLUS and IPTC on licence fields, https://www.iptc.org/std/photometadata/specification/.
"""

import re
import struct
import zlib
from collections.abc import Iterator
from xml.sax.saxutils import escape

from PIL import Image

from harvest.datasets.manifest import Example

_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_EXIF = b"Exif\0\0"
_PHOTOSHOP = b"Photoshop 3.0\0"
_APP1, _APP13, _START_OF_SCAN = 0xE1, 0xED, 0xDA
_LONGEST_SEGMENT = 65_533
_PNG = b"\x89PNG\r\n\x1a\n"
_ARTIST, _COPYRIGHT = 0x013B, 0x8298
_RDF = re.compile(rb"<rdf:RDF\b[^>]*[^/]>")
_WEBP_XMP, _WEBP_EXIF = 0x04, 0x08


def signed(data: bytes, example: Example) -> bytes:
    """Return the image with the example's credit in its metadata; of another kind of file, or a broken one, itself."""
    try:
        if data.startswith(b"\xff\xd8"):
            return _jpeg(data, example)
        if data.startswith(_PNG):
            return _png(data, example)
        if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            return _webp(data, example)
    except (struct.error, IndexError, ValueError, SyntaxError):
        return data
    return data


def notice(example: Example) -> str:
    """Return the line that tells whose the picture is and under which licence."""
    return "; ".join(dict.fromkeys(filter(None, (example.credit or example.creator, example.licence))))


def packet(example: Example, around: bytes = b"") -> bytes:
    """Return an XMP packet with the credit, put into the one that the file has where it has one."""
    told = _description(example).encode()
    begin = _RDF.search(around)
    if begin:
        return around[: begin.end()] + told + around[begin.end() :]
    return (
        b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">' + told + b"</rdf:RDF></x:xmpmeta>"
        b'<?xpacket end="r"?>'
    )


def _description(example: Example) -> str:
    def one(name: str, value: str) -> str:
        return f"<{name}>{escape(value)}</{name}>" if value else ""

    def among(name: str, kind: str, value: str, more: str = "") -> str:
        return f"<{name}><rdf:{kind}><rdf:li{more}>{escape(value)}</rdf:li></rdf:{kind}></{name}>" if value else ""

    return (
        '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" '
        'xmlns:xmpRights="http://ns.adobe.com/xap/1.0/rights/" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" '
        'xmlns:cc="http://creativecommons.org/ns#">'
        + among("dc:creator", "Seq", example.creator)
        + among("dc:rights", "Alt", notice(example), ' xml:lang="x-default"')
        + one("dc:source", example.page or example.file)
        + one("dc:identifier", example.file)
        + one("photoshop:Credit", example.credit)
        + one("xmpRights:WebStatement", example.licence)
        + (f'<cc:license rdf:resource="{escape(example.licence, {chr(34): "&quot;"})}"/>' if example.licence else "")
        + "</rdf:Description>"
    )


def _exif(example: Example, before: bytes = b"") -> bytes:
    """Return EXIF that says whose the picture is, with all that was said before: an orientation must stay.

    Text is UTF-8, as the Metadata Working Group asks (Guidelines for Handling Image Metadata 2.0, 3.1.4).
    """
    exif = Image.Exif()
    if before:
        exif.load(before)
    if example.creator:
        exif[_ARTIST] = example.creator.encode()
    exif[_COPYRIGHT] = notice(example).encode()
    return bytes(exif.tobytes())


def _iptc(example: Example) -> bytes:
    """Return a Photoshop resource with an IPTC-IIM record: by-line, credit, copyright notice, in UTF-8."""
    fields = ((80, example.creator[:32]), (110, example.credit[:32]), (116, notice(example)[:128]))
    record = b"\x1c\x01\x5a\x00\x03\x1b%G"  # 1:90: what follows is UTF-8
    for number, text in fields:
        value = text.encode()
        if value:
            record += struct.pack(">BBBH", 0x1C, 2, number, len(value)) + value
    return _PHOTOSHOP + b"8BIM\x04\x04\0\0" + struct.pack(">I", len(record)) + record + b"\0" * (len(record) % 2)


def _jpeg(data: bytes, example: Example) -> bytes:
    before = list(_segments(data))
    rest = data[2 + sum(len(segment) + 4 for _, segment in before) :]
    kept, exif, xmp, has_iptc = [], b"", b"", False
    for marker, segment in before:
        if marker == _APP1 and segment.startswith(_EXIF):
            exif = segment
        elif marker == _APP1 and segment.startswith(_XMP):
            xmp = segment[len(_XMP) :]
        else:
            has_iptc = has_iptc or (marker == _APP13 and segment.startswith(_PHOTOSHOP))
            kept.append((marker, segment))
    told = _XMP + packet(example, xmp)
    if len(told) > _LONGEST_SEGMENT:
        told = _XMP + packet(example)
    own = [(_APP1, _exif(example, exif)), (_APP1, told)] + ([] if has_iptc else [(_APP13, _iptc(example))])
    jfif = 1 if kept and kept[0][0] == 0xE0 else 0  # JFIF wants to be the first
    written = kept[:jfif] + [one for one in own if len(one[1]) <= _LONGEST_SEGMENT] + kept[jfif:]
    return b"\xff\xd8" + b"".join(struct.pack(">BBH", 0xFF, m, len(s) + 2) + s for m, s in written) + rest


def _segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield marker and content of the segments before the first that is no application's and no comment."""
    place = 2
    while data[place] == 0xFF and (0xE0 <= data[place + 1] <= 0xEF or data[place + 1] == 0xFE):
        marker, length = struct.unpack_from(">BH", data, place + 1)
        yield marker, data[place + 4 : place + 2 + length]
        place += 2 + length


def _png(data: bytes, example: Example) -> bytes:
    head, kept, xmp, exif = b"", [], b"", b""
    keyword = b"XML:com.adobe.xmp\0"
    for kind, content in _png_chunks(data):
        if kind == b"IHDR":
            head = content
        elif kind == b"iTXt" and content.startswith(keyword + b"\0\0\0\0"):
            xmp = content[len(keyword) + 4 :]
        elif kind == b"eXIf":
            exif = content
        else:
            kept.append((kind, content))
    if not head:
        raise ValueError("a PNG without a header")
    told = keyword + b"\0\0\0\0" + packet(example, xmp)
    own = [(b"iTXt", told), (b"eXIf", _exif(example, exif).removeprefix(_EXIF))]
    return _PNG + b"".join(_png_chunk(*chunk) for chunk in [(b"IHDR", head), *own, *kept])


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = len(_PNG)
    while place < len(data):
        length, kind = struct.unpack_from(">I4s", data, place)
        yield kind, data[place + 8 : place + 8 + length]
        place += length + 12


def _png_chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _webp(data: bytes, example: Example) -> bytes:
    chunks = list(_riff(data))
    told = dict(chunks)
    extended = bytearray(told.get(b"VP8X") or _extended(told))
    extended[0] |= _WEBP_XMP | _WEBP_EXIF
    kept = [(kind, content) for kind, content in chunks if kind not in (b"VP8X", b"XMP ", b"EXIF")]
    exif = _exif(example, told.get(b"EXIF", b"")).removeprefix(_EXIF)
    own = [(b"EXIF", exif), (b"XMP ", packet(example, told.get(b"XMP ", b"")))]
    body = b"".join(
        kind + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)
        for kind, content in [(b"VP8X", bytes(extended)), *kept, *own]
    )
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def _riff(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = 12
    while place + 8 <= len(data):
        kind, length = struct.unpack_from("<4sI", data, place)
        yield kind, data[place + 8 : place + 8 + length]
        place += 8 + length + length % 2


def _extended(told: dict[bytes, bytes]) -> bytes:
    """Return the header that a simple WebP lacks: flags (alpha of a lossless picture), width and height less one."""
    if b"VP8L" in told:
        bits: int = struct.unpack_from("<I", told[b"VP8L"], 1)[0]
        width, height, alpha = bits & 0x3FFF, bits >> 14 & 0x3FFF, bits >> 28 & 1
    else:
        sizes: tuple[int, int] = struct.unpack_from("<HH", told.get(b"VP8 ", b""), 6)
        width, height, alpha = (sizes[0] & 0x3FFF) - 1, (sizes[1] & 0x3FFF) - 1, 0
    return struct.pack("<I", alpha << 4) + width.to_bytes(3, "little") + height.to_bytes(3, "little")

"""What an image says itself about learning from it. In: an image. Out: the reservation, or nothing.

Read are the PLUS coalition's ``plus:DataMining`` in XMP (https://ns.useplus.org/LDF/ldf-XMPSpecification) and the words
``noai``, ``noimageai`` in its keywords, as DeviantArt and others write them. What the publisher's server or robots.txt
say is heeded when images are fetched (``harvest.images``).
"""

import re
from itertools import chain

from linkeddata.storage import Stored

RESERVED = "reserved by its publisher"
"""The reason of the failure; that of an image which was not even fetched is the same."""
HEAD = 1 << 17
"""Bytes from the start of a file that are looked at: metadata stands before the picture."""

_PROHIBITED = re.compile(rb"DMI-PROHIBITED(?:-AIMLTRAINING|-GENAIMLTRAINING|-EXCEPTSEARCHENGINEINDEXING)?(?![\w-])")
_WORD = re.compile(rb"<rdf:li[^>]*>\s*(noai|noimageai)\s*</rdf:li>", re.IGNORECASE)


def reserved_in(source: Stored) -> str:
    """Return the words by which an image's own metadata reserve it, "" where there are none."""
    path = source.local
    if path is None:
        return reservation(source.read_bytes()[:HEAD])
    with path.open("rb") as file:
        return reservation(file.read(HEAD))


def reservation(head: bytes) -> str:
    """Return the words in the beginning of a file that ask that nothing learns from it.

    >>> reservation(b'<plus:DataMining>http://ns.useplus.org/ldf/vocab/DMI-PROHIBITED-AIMLTRAINING</plus:DataMining>')
    'DMI-PROHIBITED-AIMLTRAINING'
    >>> reservation(b'<plus:DataMining>http://ns.useplus.org/ldf/vocab/DMI-ALLOWED</plus:DataMining>')
    ''
    """
    found = chain(_PROHIBITED.findall(head), _WORD.findall(head))
    return next((word.decode() for word in found), "")

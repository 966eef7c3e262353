"""Images, fetched and checked. In: ``MediaFile`` records. Out: images by their content, or why there is none.

An image is kept if its bytes are the ones that were promised (the SHA-1 that Commons has of an original, the measures
that it has of a thumbnail) and they can be decoded within the limits. It goes to disk while it comes, is checked there,
and is in its place whole or not at all, so that a run that was killed goes on where it was. What is broken is put aside
with the reason. What a host or a publisher asks not to be taken is not taken.
"""

import threading
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import chain, count, islice, takewhile
from pathlib import Path
from urllib.parse import urlsplit

from harvest.imagestore import ImageStore, is_sha1
from harvest.offers import IMAGE_MISSING, REFUSED, UNREACHABLE, WRONG_SHA1, Offer, Trouble, offers
from harvest.records import lost
from harvest.wiki import ENTITIES
from linkeddata.addresses import PRIVATE
from linkeddata.arriving import Download
from linkeddata.client import FILES, Client
from linkeddata.decoding import Facts, Limits, TooLargeImageError, UnreadableImageError, checked
from linkeddata.errors import ServiceError, UnreachableError
from linkeddata.records import Failure, MediaFile
from linkeddata.robots import RESERVED as RESERVED_CODE
from linkeddata.settings import Settings
from linkeddata.storage import Stored

UNREADABLE = "unreadable image"
TOO_LARGE = "image too large"
WRONG_SIZE = "thumbnail has other measures"
NOT_PUBLIC = "address not public"
ROBOTS = "not allowed by robots.txt"
RESERVED = "reserved by its publisher"

PATIENCE = 3
"""Images in a row that could not be reached; after that a host is not asked again in this run."""
TOGETHER = 4
"""Images that a thread is handed at once: to hand one over costs a tenth of what is done with it."""
AHEAD = 6
"""Such handfuls asked for before their turn has come."""
CHECKERS = 2
"""Threads that decode what has come, while others fetch."""

_CODES = {
    "404": IMAGE_MISSING,
    "410": IMAGE_MISSING,
    "too-large": TOO_LARGE,
    PRIVATE: NOT_PUBLIC,
    RESERVED_CODE: RESERVED,
}
_PUT_ASIDE = frozenset({UNREADABLE, WRONG_SHA1, WRONG_SIZE})

Answer = tuple[MediaFile, Stored] | Trouble
_Wish = tuple[MediaFile, Offer | Answer]
_Coming = Future[Answer] | Answer


def fetch(
    client: Client,
    images: ImageStore,
    files: Iterable[MediaFile],
    *,
    settings: Settings,
    campaign: str = "",
    moment: str = "",
) -> Iterator[tuple[MediaFile, Stored] | Failure]:
    """Yield for each file, in order, its record and its image, or a ``Failure`` that says why there is none.

    What ``images`` holds is not asked for, nor is what was put aside or is reserved; of the rest, thumbnails of the
    width that ``images`` is for, or originals. A file whose SHA-1 was not known comes with the one of its bytes. At
    most two downloads at a time. Limits on bytes and pixels are the settings'. A host that does not answer for three
    images in a row is given up: the rest fail with the same reason and are tried in the next run. ``moment`` is
    written down with what is put aside.
    """
    with (
        images.storage.drafts() as drafts,
        ThreadPoolExecutor(FILES, thread_name_prefix="images") as fetching,
        ThreadPoolExecutor(CHECKERS, thread_name_prefix="images-checked") as checking,
    ):
        job = _Job(client, images, settings, drafts, moment, checking)
        wishes = _wishes(job, files)
        waiting: deque[tuple[list[_Wish], Future[list[_Coming]]]] = deque()
        try:
            while True:
                while len(waiting) < AHEAD and (handful := list(islice(wishes, TOGETHER))):
                    waiting.append((handful, fetching.submit(_got_all, job, handful)))
                if not waiting:
                    break
                handful, got = waiting.popleft()
                for (media, _), coming in zip(handful, got.result(), strict=True):
                    answer = coming.result() if isinstance(coming, Future) else coming
                    if isinstance(answer, Trouble):
                        yield lost(media.iri, *answer, campaign=campaign, step="images")
                    else:
                        yield answer
        finally:
            job.stopped.set()
            for _, got in waiting:
                got.cancel()
    images.storage.settle()


@dataclass(frozen=True, slots=True)
class _Job:
    """What stays the same for every image of one run."""

    client: Client
    images: ImageStore
    settings: Settings
    drafts: Path
    moment: str
    checking: Executor
    hosts: "_Hosts" = field(default_factory=lambda: _Hosts())
    numbers: Iterator[int] = field(default_factory=count)
    stopped: threading.Event = field(default_factory=threading.Event)

    @property
    def limits(self) -> Limits:
        """What is not decoded."""
        return Limits(self.settings.max_image_bytes, self.settings.max_image_pixels)

    def put_aside(self, media: MediaFile, offer: Offer, draft: Path, came: Download, trouble: Trouble) -> None:
        """Put bytes aside with what is wrong with them."""
        about = {"file": media.iri, "url": offer.url, "reason": trouble.reason, "detail": trouble.detail}
        self.images.quarantine(came.sha1, draft, {**about, "size_bytes": came.size_bytes, "moment": self.moment})


class _Hosts:
    """Which hosts still answer. Used by the downloading threads together."""

    def __init__(self) -> None:
        self._silent: Counter[str] = Counter()
        self._lock = threading.Lock()

    def given_up(self, url: str) -> bool:
        """Say whether the host has been silent too often."""
        with self._lock:
            return self._silent[urlsplit(url).netloc] >= PATIENCE

    def heard(self, url: str, answered: bool) -> None:
        """Take note of an answer, or that there was none."""
        host = urlsplit(url).netloc
        with self._lock:
            self._silent[host] = 0 if answered else self._silent[host] + 1


def _wishes(job: _Job, files: Iterable[MediaFile]) -> Iterator[_Wish]:
    """Yield for each file what is to be fetched, or what there is instead."""
    source = iter(files)
    while batch := list(islice(source, ENTITIES)):
        here = _here(job, batch)
        wanted = [media for media in batch if not here[media.iri]]
        found = offers(job.client, job.settings, wanted, job.images.width_px)
        for media in batch:
            stored = here[media.iri]
            yield media, (media, stored) if stored else _refused(job, media, found[media.iri])


def _here(job: _Job, batch: Sequence[MediaFile]) -> dict[str, Stored | None]:
    """Return by IRI which images are here; each of the checking threads looks for its share."""
    shares = [batch[number::CHECKERS] for number in range(CHECKERS)]
    found = job.checking.map(lambda share: [(media.iri, job.images.holds(media)) for media in share], shares)
    return dict(chain.from_iterable(found))


def _refused(job: _Job, media: MediaFile, offer: Offer | Trouble) -> Offer | Trouble:
    """Return the offer, or why it is not taken up, as far as that is known without asking."""
    if isinstance(offer, Trouble):
        return offer
    if not offer.of and media.size_bytes > job.settings.max_image_bytes:
        return Trouble(TOO_LARGE, f"{media.size_bytes} bytes")
    if not offer.of and media.width_px * media.height_px > job.settings.max_image_pixels:
        return Trouble(TOO_LARGE, f"{media.width_px} × {media.height_px} pixels")
    known = job.images.quarantined(offer.sha1) or job.images.reserved(offer.url)
    return Trouble(str(known["reason"]), str(known["detail"])) if known else offer


def _got_all(job: _Job, handful: Iterable[_Wish]) -> list[_Coming]:
    """Fetch the images of a handful, until nobody waits for them any more."""
    wanted = takewhile(lambda _: not job.stopped.is_set(), handful)
    return [_got(job, media, wish) if isinstance(wish, Offer) else wish for media, wish in wanted]


def _got(job: _Job, media: MediaFile, offer: Offer) -> _Coming:
    """Fetch one image; wrong bytes are asked for once more. A large one is checked by others, meanwhile more come."""
    draft = job.drafts / str(next(job.numbers))
    came = _download(job, offer, draft)
    if isinstance(came, Download) and offer.sha1 not in ("", came.sha1):
        came = _download(job, offer, draft)
    if isinstance(came, Trouble):
        if came.reason == RESERVED:
            job.images.reserve(offer.url, {"reason": came.reason, "detail": came.detail, "moment": job.moment})
        return came
    if came.data is not None:  # at hand, and handed on it would wait longer than its check takes
        return _checked(job, media, offer, draft, came)
    return job.checking.submit(_checked, job, media, offer, draft, came)


def _download(job: _Job, offer: Offer, draft: Path) -> Download | Trouble:
    url = offer.url
    if job.hosts.given_up(url):
        return Trouble(UNREACHABLE, f"{url}: not asked for, {PATIENCE} images before it did not come from this host")
    try:
        if not job.client.may_fetch(url):
            return Trouble(ROBOTS, url)
        came = job.client.download(url, draft, limit=job.settings.max_image_bytes)
    except UnreachableError as error:
        job.hosts.heard(url, answered=False)
        return Trouble(UNREACHABLE, str(error))
    except ServiceError as error:
        job.hosts.heard(url, answered=True)
        return Trouble(_CODES.get(error.code, REFUSED), str(error))
    job.hosts.heard(url, answered=True)
    return came


def _checked(job: _Job, media: MediaFile, offer: Offer, draft: Path, came: Download) -> Answer:
    """Keep what came if it is what was promised, else put it aside."""
    facts = _facts(job, offer, draft, came)
    if isinstance(facts, Trouble):
        if facts.reason in _PUT_ASIDE:
            job.put_aside(media, offer, draft, came, facts)
        return facts
    stored = job.images.keep(came.sha1, facts, draft)
    if offer.of:
        measures = {"width_px": facts.width_px, "height_px": facts.height_px, "size_bytes": came.size_bytes}
        job.images.keep_thumbnail(offer.of, job.images.width_px, stored, {**measures, "url": offer.url})
        return replace(media, sha1=offer.of), stored
    return _completed(media, came, facts), stored


def _facts(job: _Job, offer: Offer, draft: Path, came: Download) -> Facts | Trouble:
    """Return what an image is, or what is wrong with it."""
    if offer.sha1 not in ("", came.sha1):
        return Trouble(WRONG_SHA1, f"{offer.url}: {came.sha1} instead of {offer.sha1}, {came.size_bytes} bytes")
    try:
        facts = checked(draft if came.data is None else came.data, job.limits)
    except TooLargeImageError as error:
        return Trouble(TOO_LARGE, str(error))
    except UnreadableImageError as error:
        return Trouble(UNREADABLE, str(error))
    # A pixel is let go: height is rounded in more than one way.
    if offer.of and (facts.width_px != offer.width_px or abs(facts.height_px - offer.height_px) > 1):
        found = f"{facts.width_px} × {facts.height_px} instead of {offer.width_px} × {offer.height_px} pixels"
        return Trouble(WRONG_SIZE, f"{offer.url}: {found}")
    return facts


def _completed(media: MediaFile, came: Download, facts: Facts) -> MediaFile:
    """Return the record of an original, with what nobody had told of it."""
    if is_sha1(media.sha1):
        return media
    return replace(
        media,
        sha1=came.sha1,
        mime=media.mime or facts.mime,
        width_px=media.width_px or facts.width_px,
        height_px=media.height_px or facts.height_px,
        size_bytes=media.size_bytes or came.size_bytes,
    )

"""The models that answer, as they lie in the folder now. In: ``models/NAME/VERSION``. Out: classifiers by name.

A version that is put there is opened, tried and only then offered; one that is taken away answers what was asked of it
before it is closed. No request is lost by either.
"""

import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

from identify.asking.terms import Terms, terms_of
from identify.bundle import DESCRIPTION, Bundle, open_bundle
from identify.information import Information
from identify.runtime import Classifier
from identify.versions import newness
from linkeddata.decoding import Limits
from linkeddata.errors import BundleError

LOOK_S = 2.0
"""So often the folder is looked at."""
GRACE_S = 300.0
"""So long a version that was taken away may still answer what was asked of it."""

Signature = tuple[int, int, int]


class Shelf(Mapping[str, Classifier]):
    """Classifiers by ``NAME@VERSION``, of each name the newest first. Threads may share it.

    ``information`` is what is told beside determinations. Those that are ``given`` are offered as they are, whatever
    lies in the folder.
    """

    def __init__(
        self,
        folder: Path,
        limits: Limits | None = None,
        *,
        given: Mapping[str, Classifier] | None = None,
        information: Information | None = None,
    ) -> None:
        self.information = information or Information(folder.parent / "information")
        self._folder = folder
        self._limits = limits
        self._given = given is not None
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread: threading.Thread | None = None
        self._seen: dict[Path, Signature] = {}
        self._open: dict[Path, Classifier] = {}
        self._by_name: Mapping[str, Classifier] = dict(given or {})
        self.broken: dict[str, str] = {}
        self.look(ready=False)

    def __getitem__(self, name: str) -> Classifier:
        return self._by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)

    def terms(self, name: str) -> Terms:
        """Return on what terms a model answers; read each time, for a keeper who closes one means now."""
        return terms_of(self._folder, name)

    def troubles(self) -> dict[str, str]:
        """Return what is wrong, by ``NAME/VERSION`` of a bundle that cannot be opened, or ``NAME`` of unread terms."""
        names = {one.bundle.about.name for one in self.values()}
        told = {"information": "; ".join(self.information.troubles)} if self.information.troubles else {}
        return told | self.broken | {name: why for name in sorted(names) if (why := self.terms(name).trouble)}

    def engines(self) -> dict[str, str]:
        """Return by ``NAME@VERSION`` which engine answers, and why not the one that the bundle names."""
        return {name: one.engine for name, one in self.items() if one.is_ready}

    def look(self, *, ready: bool = True) -> bool:
        """See what lies in the folder now; say whether anything changed. With ``ready`` engines are opened first."""
        if self._given:
            return False
        with self._lock:
            seen = _signatures(self._folder)
            if seen == self._seen:
                return False
            kept = {path: one for path, one in self._open.items() if self._seen.get(path) == seen.get(path)}
            broken = {_name(path): why for path in seen.keys() & self._seen if (why := self.broken.get(_name(path)))}
            for path in seen:
                if path in kept or (_name(path) in broken and self._seen.get(path) == seen[path]):
                    continue
                broken.pop(_name(path), None)
                try:
                    one = Classifier(_placed(path), self._limits, later=True, traits=self.information.traits)
                    if ready:
                        one.warm()
                    kept[path] = one
                except BundleError as error:
                    broken[_name(path)] = str(error)
            retired = [one for path, one in self._open.items() if kept.get(path) is not one]
            self._seen, self._open, self._by_name, self.broken = seen, kept, _by_name(kept), broken
        for one in retired:
            _closed_later(one)
        return True

    def start(self) -> None:
        """Open the engines, the newest of each name first, and look at the folder again and again."""
        self._thread = threading.Thread(target=self._watch, name="shelf", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Look no more."""
        self._over.set()
        if self._thread is not None:
            self._thread.join()

    def _watch(self) -> None:
        names: set[str] = set()
        for one in list(self.values()):
            if one.bundle.about.name not in names and not self._over.is_set():
                names.add(one.bundle.about.name)
                self._warm(one)
        while not self._over.wait(LOOK_S):
            self.look()

    def _warm(self, one: Classifier) -> None:
        try:
            one.warm()
        except BundleError as error:
            about = one.bundle.about
            self.broken[f"{about.name}/{about.version}"] = str(error)


def _by_name(kept: Mapping[Path, Classifier]) -> dict[str, Classifier]:
    found = sorted(kept.values(), key=lambda one: newness(one.bundle.about.version), reverse=True)
    found.sort(key=lambda one: one.bundle.about.name)
    return {f"{one.bundle.about.name}@{one.bundle.about.version}": one for one in found}


def _signatures(folder: Path) -> dict[Path, Signature]:
    """Return what tells one bundle in the folder from another in its place, by its description."""
    found = {}
    for path in sorted(folder.glob(f"*/*/{DESCRIPTION}")):
        if path.parent.name.startswith("."):  # one that is being written
            continue
        try:
            stat = path.stat()
        except OSError:
            continue
        found[path] = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
    return found


def _name(path: Path) -> str:
    return "/".join(path.parts[-3:-1])


def _placed(path: Path) -> Bundle:
    """Return the bundle of this description. Raises ``BundleError`` for one that lies under another's name.

    Whose terms would hold for it could not be said: ``model.toml`` lies in a folder and is asked for by a name.
    """
    bundle = open_bundle(path.parent)
    called = f"{bundle.about.name}/{bundle.about.version}"
    if called != _name(path):
        raise BundleError(f"{path.parent}: this is {called}, and answers only in a folder of that name")
    return bundle


def _closed_later(one: Classifier) -> None:
    timer = threading.Timer(GRACE_S, one.close)
    timer.daemon = True
    timer.start()

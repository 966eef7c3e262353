"""Which versions of models are known. In: the store, the classifiers that are open. Out: ``Version``.

A version is known by its bundle, whose files lie here, or by what the store keeps of it: its classes outlive the files,
for what it said still names it. Only a version with its files answers images.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from identify.bundle import Bundle
from identify.runtime import Classifier
from linkeddata import modeldocuments, targets
from linkeddata.negotiation import without_suffix
from linkeddata.nodes import Document
from linkeddata.parts import Gone
from linkeddata.problem import Problem, not_found
from linkeddata.records import Identification, MediaFile, ModelClass
from linkeddata.store import Store
from linkeddata.withdrawals import Tombstone, tombstone_of

Models = Mapping[str, Classifier]
"""The classifiers by ``NAME@VERSION``, of each name the newest first."""


STANDS: Any = object()
"""Remembered of a version that is not taken down."""


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a model, with its classes in the order of its outputs."""

    name: str
    version: str
    classes: tuple[ModelClass, ...]
    weights: str = ""
    simulated: bool = False
    bundle: Bundle | None = None
    """Its files, where they lie here."""

    def document(self, base: str, *, full: bool) -> Document:
        """Return it as a SKOS concept scheme, with its classes when ``full``."""
        doc = modeldocuments.model_document(self.classes, weights=self.weights, base_url=base, full=full)
        return doc | ({"simulated": True, "comment": targets.SIMULATED} if self.simulated else {})


def found(store: Store, models: Models, name: str) -> Classifier:
    """Return the open model called ``NAME@VERSION``, or the newest called ``NAME``; raises ``Gone``, ``Problem`` 404.

    A version whose classes were withdrawn is gone, though its files may lie here still.
    """
    for key, classifier in models.items():
        if name in (key, classifier.bundle.about.name) and not taken_down(store, key):
            return classifier
    version, _ = named(store, models, name)
    known = f"{version.name}@{version.version}"
    if version.bundle is None:
        raise Problem(404, "Not found", f"The files of {known} are not here any more: it answers no images.")
    return models[known]


def named(store: Store, models: Models, name: str) -> tuple[Version, str]:
    """Return the version called ``NAME@VERSION``, or the newest called ``NAME``, and the form its suffix asks for.

    Of a name, a version that answers images comes before all that do not. Raises ``Gone``, ``Problem`` 404.
    """
    for asked, form in (name, ""), without_suffix(name):
        for key, classifier in models.items():
            if asked in (key, classifier.bundle.about.name) and not taken_down(store, key):
                return _opened(store, classifier), form
        if stored := _stored(store, asked):
            return stored, form
    for asked, form in (name, ""), without_suffix(name):
        if gone := taken_down(store, asked):
            raise Gone(gone, form)
    raise not_found("model", name)


def every(store: Store, models: Models) -> list[Version]:
    """Return all versions that stand: those that answer images first, then those whose classes alone are kept."""
    open_ = [_opened(store, one) for name, one in models.items() if not taken_down(store, name)]
    keys = {(one.name, one.version) for one in open_}
    kept = [one for one in _names(store) if one not in keys]
    closed = [stored for model, version in kept if (stored := _stored(store, f"{model}@{version}"))]
    return open_ + closed


def taken_down(store: Store, version: str) -> Tombstone | None:
    """Return the tombstone of a model's version, None for one that stands or never was."""
    now, key = store.remembered.now(), (Tombstone, version)
    known = store.remembered.get(key, now)
    if known is None:
        first = f"{version}/0"
        gone = tombstone_of(store, ModelClass, first) if store.get(ModelClass, first) is None else None
        known = replace(gone, key=version) if gone else STANDS
        store.remembered.keep(key, known, now)
    return None if known is STANDS else known


def newness(version: str) -> list[tuple[int, str]]:
    """Return what versions are compared by: 10 is newer than 9.

    >>> newness("10") > newness("9"), newness("1.10") > newness("1.9")
    (True, True)
    """
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in version.replace("-", ".").split(".")]


def _opened(store: Store, classifier: Classifier) -> Version:
    bundle = classifier.bundle
    classes = tuple(store.get(ModelClass, one.id) or one for one in bundle.classes)
    about = bundle.about
    return Version(about.name, about.version, classes, bundle.weights, about.simulated, bundle)


def _names(store: Store) -> list[tuple[str, str]]:
    """Return model and version of all classes that are kept, the newest first."""
    pairs = [(model, version) for model, version in store.rows("SELECT DISTINCT model, version FROM model_class")]
    return sorted(pairs, key=lambda one: newness(one[1]), reverse=True)


def _stored(store: Store, name: str) -> Version | None:
    """Return what the store keeps of a version, None where that is nothing.

    The weights, and whether its world was simulated, are known by what it answered.
    """
    model, at, version = name.rpartition("@")
    if not at:
        model, version = name, next((version for model, version in _names(store) if model == name), "")
    classes = sorted(store.each(ModelClass, model=model, version=version), key=lambda one: one.index)
    if not classes:
        return None
    said = store.page(Identification, model=model, version=version, limit=1)
    media = store.get(MediaFile, said[0].file) if said else None
    weights = said[0].weights if said else ""
    return Version(model, version, tuple(classes), weights, simulated=bool(media and media.simulated))

"""The main job: the steps of a campaign in their order, each done once, skipped while nothing it reads has changed.

In: a ``Run`` (the campaign and the parts to work with). Out: one ``Outcome`` a step. A step is skipped when the
fingerprint of everything it reads is the one it last finished with; a step that was stopped has no such mark and is
done again, each knowing how to go on from what it already stored. Trouble with one item is a ``Failure`` in the store;
trouble with a whole step is one too, and the steps that do not need it go on.
"""

import fcntl
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from crowd.campaign import Campaign
from harvest.imagestore import ORIGINAL, ImageStore
from linkeddata.client import Client
from linkeddata.errors import DeBoodtError, UsageError
from linkeddata.ids import content_id
from linkeddata.records import Agent, Failure, Step
from linkeddata.settings import HOMEPAGE, VERSION, Settings
from linkeddata.store import Store

SOFTWARE = Agent(
    id=f"urn:deboodt:software:deboodt-{VERSION}",
    kind="SoftwareAgent",
    name="De Boodt",
    version=VERSION,
    homepage=HOMEPAGE,
)
"""Who writes into the log when a step does."""

ORDER = ("harvest", "images", "names", "count", "dataset", "train", "identify", "publish", "export")
"""The steps in the order in which they are done; ``steps.STEPS`` says how."""

Progress = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done and how much there is (0 when that is not known)."""


def silent(what: str, done: int, total: int) -> None:
    """Progress for those who do not want to hear of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A campaign and the parts that its steps work with."""

    campaign: Campaign
    settings: Settings
    store: Store
    client: Client
    now: Callable[[], str]
    progress: Progress = silent
    since: str = ""
    """Harvest again what was touched since this day; empty where that was not asked for."""

    @property
    def folder(self) -> Path:
        """Where this campaign's dataset, report and exports go."""
        return self.settings.home_path / "campaigns" / self.campaign.id

    @property
    def images(self) -> ImageStore:
        """All campaigns' images, in the width that this one works with."""
        rules = self.campaign.images
        return ImageStore(self.settings.images, ORIGINAL if rules.original else rules.width_px)

    @property
    def models(self) -> Path:
        """Where all campaigns' model bundles are, by name and version."""
        return self.settings.home_path / "models"

    def lost(self, step: str, subject: str, reason: str, detail: str = "") -> Failure:
        """Return the failure of one item of this campaign at one step."""
        name = self.campaign.id
        key = content_id(name, step, subject, reason)
        return Failure(
            id=key, campaign=name, step=step, subject=subject, reason=reason, detail=detail, moment=self.now()
        )


@dataclass(frozen=True, slots=True)
class Done:
    """What a step did: its counts, and whether all of it was done or must be tried again next time."""

    counts: dict[str, int]
    complete: bool = True


@dataclass(frozen=True, slots=True)
class StepKind:
    """A step: what it is for, the fingerprint of what it reads, and its work."""

    about: str
    inputs: Callable[[Run], str]
    work: Callable[[Run], Done]
    wanted: Callable[[Run], bool] = field(default=lambda run: True)
    forgets: bool = True
    """Whether its old failures are taken away before it is done; one that asks only for what is new does so itself."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one step ended: ``done``, ``unchanged``, ``not wanted``, ``incomplete`` or ``failed``."""

    step: str
    status: str
    counts: dict[str, int]
    seconds: float = 0.0
    error: DeBoodtError | None = None


def run_steps(
    run: Run, kinds: dict[str, StepKind], names: Sequence[str] = (), *, again: bool = False
) -> Iterator[Outcome]:
    """Do the named steps (all, if none is named) in the order of ``kinds``; yield each step's outcome as it ends.

    ``again`` does them even where nothing changed. Raises ``UsageError`` for a step that does not exist or when another
    process is at work on the same campaign; any other error of the house becomes a ``failed`` outcome.
    """
    for name in names:
        if name not in kinds:
            raise UsageError(f"no step {name!r}; the steps are {', '.join(kinds)}")
    with _alone(run):
        run.store.put([SOFTWARE], agent=SOFTWARE.id, moment=run.now())
        for name, kind in kinds.items():
            if not names or name in names:
                yield _do(run, name, kind, again)


def _do(run: Run, name: str, kind: StepKind, again: bool) -> Outcome:
    if not kind.wanted(run):
        return Outcome(name, "not wanted", {})
    begun = time.monotonic()
    try:
        wanted = fingerprint(name, kind.inputs(run))
        last = run.store.get(Step, f"{run.campaign.id}/{name}")
        if last and last.fingerprint == wanted and not again:
            return Outcome(name, "unchanged", dict(last.counts))
        if kind.forgets:
            forget_failures(run, name)
        done = kind.work(replace(run, client=run.client.doing(name)))
    except UsageError:
        raise
    except DeBoodtError as error:
        trouble = run.lost(name, run.campaign.id, "step failed", str(error))
        run.store.put([trouble], agent=SOFTWARE.id, moment=run.now())
        return Outcome(name, "failed", {}, time.monotonic() - begun, error)
    seconds = time.monotonic() - begun
    step = Step(
        id=f"{run.campaign.id}/{name}",
        campaign=run.campaign.id,
        name=name,
        # An incomplete step keeps no fingerprint, so that the next run does it again.
        fingerprint=wanted if done.complete else "",
        counts=tuple(done.counts.items()),
        seconds=round(seconds, 3),
        moment=run.now(),
    )
    run.store.put([step], agent=SOFTWARE.id, moment=run.now())
    return Outcome(name, "done" if done.complete else "incomplete", done.counts, seconds)


def fingerprint(step: str, inputs: str) -> str:
    """Return what a step remembers of what it read: another version of De Boodt may do another thing with it."""
    return content_id(step, VERSION, inputs)


def forget_failures(run: Run, step: str) -> None:
    """Take this step's old failures out of the current state (the log keeps them), before it is tried again."""
    old = [failure.id for failure in run.store.each(Failure, campaign=run.campaign.id, step=step)]
    run.store.remove(Failure, old, agent=SOFTWARE.id, moment=run.now(), reason=f"{step} is done again")


@contextmanager
def _alone(run: Run) -> Iterator[None]:
    """Hold the campaign's lock; the system lets go of it when the process ends, however it ends."""
    run.folder.mkdir(parents=True, exist_ok=True)
    with (run.folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise UsageError(f"campaign {run.campaign.id} is being worked on by another process") from error
        yield

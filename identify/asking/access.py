"""Who may ask which model how much. In: a request, a model. Out: who asks; or a ``Problem`` 401, 403 or 429.

Anybody may ask, within a quota by address. A token has a quota of its own. A restricted model answers whoever shows a
token that is good for it (``model:NAME``), and the log says so each time.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from fastapi import Request

from crowd.entry import images_of
from crowd.guard import Guard, Visitor
from identify.asking.quotas import Policy, Quotas, Taken
from identify.asking.terms import Terms
from identify.runtime import Classifier
from linkeddata.problem import Problem

MINUTE_S, DAY_S = 60, 86_400
USED = "model.used"
"""Kind of the log's entry about a question to a restricted model."""
NOBODY = "urn:deboodt:nobody"


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks: somebody with an account, or an address."""

    visitor: Visitor
    address: str

    @property
    def key(self) -> str:
        """What the asker's images are counted under."""
        account = self.visitor.account
        return f"account {account.id}" if account else f"address {self.address}"


@dataclass(frozen=True, slots=True)
class Access:
    """Lets questions through, and counts them."""

    guard: Guard
    terms: Callable[[str], Terms]
    clock: Callable[[], float] = time.time
    quotas: Quotas = field(default_factory=Quotas)

    def asker(self, request: Request, classifier: Classifier) -> Asker:
        """Return who asks, if he or she may ask this model at all. Raises ``Problem`` 401 or 403."""
        visitor = self.guard.visitor(request)
        name = classifier.bundle.about.name
        if self.terms(name).restricted:
            if visitor.account is None:
                raise Problem(
                    401,
                    "Restricted model",
                    f"{name} answers whoever sends a token that was granted for it, as Authorization: Bearer.",
                    {"WWW-Authenticate": 'Bearer realm="De Boodt"'},
                )
            if f"model:{name}" not in (visitor.scopes or ()):
                raise Problem(403, "Restricted model", f"This account, or this token, is not good for {name}.")
        return Asker(visitor, request.client.host if request.client else "")

    def count(self, asker: Asker, images: int) -> Taken:
        """Count the images that somebody asks about. Raises ``Problem`` 429 beyond the quota."""
        taken = self.quotas.take(asker.key, self._policies(asker), images, self.clock())
        if not taken.allowed:
            raise taken.refusal()
        return taken

    def used(self, asker: Asker, classifier: Classifier, sha1s: Sequence[str], moment: str) -> None:
        """Log a question to a restricted model: who, when, which images."""
        about = classifier.bundle.about
        if not self.terms(about.name).restricted:
            return
        account = asker.visitor.account
        said = {"images": list(sha1s), "weights": classifier.weights}
        agent = account.agent if account else NOBODY
        self.guard.store.note(USED, f"{about.name}@{about.version}", said, agent=agent, moment=moment)

    def _policies(self, asker: Asker) -> list[Policy]:
        settings = self.guard.settings
        if asker.visitor.account is None:
            return [Policy("minute", settings.images_a_minute, MINUTE_S)]
        granted = images_of(asker.visitor.scopes or frozenset())
        return [Policy("day", granted or settings.images_a_day, DAY_S)]

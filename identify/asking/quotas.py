"""How many images somebody may ask about. In: who asks, how many, the moment. Out: yes or no, and headers that say it.

Counts are kept by windows of fixed length, in this process: they begin anew when it is started again. The headers are
those of the IETF's draft (https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/, revision 10).
"""

import math
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from linkeddata.problem import Problem

MOST_ASKERS = 100_000
"""Askers that are remembered; of more, those are forgotten who asked longest ago."""


@dataclass(frozen=True, slots=True)
class Policy:
    """``quota`` images in each window of ``window_s`` seconds; no limit where the quota is 0."""

    name: str
    quota: int
    window_s: int

    def __str__(self) -> str:
        return f'"{self.name}";q={self.quota};w={self.window_s}'


@dataclass(frozen=True, slots=True)
class Left:
    """What is left of a policy: images, and seconds until it begins anew."""

    policy: Policy
    images: int
    seconds: int

    def __str__(self) -> str:
        return f'"{self.policy.name}";r={self.images};t={self.seconds}'


@dataclass(frozen=True, slots=True)
class Taken:
    """How a question about images was counted."""

    allowed: bool
    left: tuple[Left, ...]
    wanted: int = 0

    @property
    def headers(self) -> dict[str, str]:
        """``RateLimit-Policy`` and ``RateLimit``; nothing where nothing is limited.

        >>> Taken(True, (Left(Policy("minute", 60, 60), 59, 12),)).headers["RateLimit"]
        '"minute";r=59;t=12'
        """
        if not self.left:
            return {}
        policies = ", ".join(str(one.policy) for one in self.left)
        return {"RateLimit-Policy": policies, "RateLimit": ", ".join(map(str, self.left))}

    def refusal(self) -> Problem:
        """Return the problem that a refused question is answered with, 429."""
        short = [one for one in self.left if one.images < self.wanted]
        wait = max((one.seconds for one in short), default=1)
        told = "; ".join(f"{one.policy.quota:,} images in {one.policy.window_s:,} s" for one in short)
        return Problem(
            429,
            "Too many images",
            f"Of {told} there are {min(one.images for one in short):,} left, and {self.wanted:,} were asked about.",
            {**self.headers, "Retry-After": str(wait)},
        )


class Quotas:
    """Counts images by asker and policy. Threads may share it."""

    def __init__(self) -> None:
        self._used: OrderedDict[tuple[str, str], tuple[int, int]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, asker: str, policies: Sequence[Policy], images: int, now_s: float) -> Taken:
        """Count ``images`` of ``asker`` unless one of the policies has less left; then none is counted.

        >>> quotas, policy = Quotas(), Policy("minute", 3, 60)
        >>> [quotas.take("anna", [policy], 2, now).allowed for now in (0.0, 1.0, 60.0)]
        [True, False, True]
        """
        limits = [policy for policy in policies if policy.quota]
        with self._lock:
            used = [self._of(asker, policy, now_s) for policy in limits]
            allowed = all(before + images <= policy.quota for before, policy in zip(used, limits, strict=True))
            for policy, before in zip(limits, used, strict=True):
                self._used[asker, policy.name] = (_window(policy, now_s), before + images * allowed)
                self._used.move_to_end((asker, policy.name))
            while len(self._used) > MOST_ASKERS:
                self._used.popitem(last=False)
        left = tuple(
            Left(policy, policy.quota - before - images * allowed, _until_next(policy, now_s))
            for policy, before in zip(limits, used, strict=True)
        )
        return Taken(allowed, left, images)

    def _of(self, asker: str, policy: Policy, now_s: float) -> int:
        window, used = self._used.get((asker, policy.name), (-1, 0))
        return used if window == _window(policy, now_s) else 0


def _window(policy: Policy, now_s: float) -> int:
    return int(now_s // policy.window_s)


def _until_next(policy: Policy, now_s: float) -> int:
    return math.ceil((_window(policy, now_s) + 1) * policy.window_s - now_s)

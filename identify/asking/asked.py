"""What is asked beside the images. In: a request's parameters. Out: ``Wishes``, which the answer repeats."""

from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from identify.information import span
from identify.judging.priors import Asked as Known
from linkeddata.errors import UsageError
from linkeddata.problem import Problem

NOT_TOLD = {"each", "store"}
"""What changes where an answer goes, but not the answer."""
MOST_TAXA = 2000


class Wishes(BaseModel):
    """How images are to be answered."""

    model_config = ConfigDict(frozen=True)

    each: bool = Field(
        default=False,
        description="Several images are several objects: an answer for each. Else they are one object, and one answer.",
    )
    store: bool = Field(
        default=False,
        description="Keep images and answer, with an address of their own, for reviewers. Needs an account that may "
        "`identify`, or its token.",
    )
    precision: float = Field(
        default=0.0,
        ge=0.0,
        lt=1.0,
        description="Share of right answers that *certain* is to stand for, such as 0.99; the model's own without.",
    )
    coverage: float = Field(
        default=0.0,
        ge=0.0,
        lt=1.0,
        description="How often the prediction set is to hold the truth, such as 0.95; the model's own without.",
    )
    checklist: list[str] = Field(
        default=[],
        max_length=MOST_TAXA,
        description="Taxa that occur where the object was found: names, Q-ids or GBIF keys of classes or of what is "
        "above them, each a parameter or with commas between.",
    )
    size_mm: str = Field(default="", max_length=40, description="The object's size in millimetres: `12` or `12-14`.")
    years: str = Field(default="", max_length=40, description="When it was found: `1832` or `1810-1840`.")

    @property
    def known(self) -> Known:
        """What a decision takes into account. Raises ``Problem`` 422.

        >>> sorted(Wishes(checklist=["Q1,Q2", "Q3"]).known.checklist), Wishes(size_mm="12-14").known.size_mm
        (['Q1', 'Q2', 'Q3'], (12.0, 14.0))
        """
        taxa = frozenset(name.strip() for one in self.checklist for name in one.split(",") if name.strip())
        try:
            return Known(
                precision=self.precision,
                coverage=self.coverage,
                checklist=taxa,
                size_mm=span(self.size_mm),
                years=span(self.years),
            )
        except (UsageError, ValueError) as error:
            raise Problem(422, "Request cannot be understood", str(error)) from error

    def told(self) -> list[str]:
        """Return the wishes that change an answer, for the answer to say; those that are the usual ones are left out.

        >>> Wishes(store=True, size_mm="12", checklist=["Q1", "Q2"]).told()
        ['checklist=Q1', 'checklist=Q2', 'size_mm=12']
        """
        asked = self.model_dump(exclude_defaults=True, exclude=NOT_TOLD)
        return [f"{name}={one}" for name in sorted(asked) for one in _each(asked[name])]


def _each(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


Asked = Annotated[Wishes, Query()]

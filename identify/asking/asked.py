"""What is asked beside the images. In: a request's parameters. Out: ``Wishes``, which the answer repeats."""

from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field


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

    def told(self) -> list[str]:
        """Return the wishes that change an answer, for the answer to say; those that are the usual ones are left out.

        >>> Wishes(store=True).told()
        []
        """
        asked = self.model_dump(exclude_defaults=True, exclude={"each", "store"})
        return [
            f"{name}={one}"
            for name, value in sorted(asked.items())
            for one in (value if isinstance(value, list) else [value])
        ]


Asked = Annotated[Wishes, Query()]

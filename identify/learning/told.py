"""What a training made, in words. In: a bundle. Out: lines for people."""

from collections.abc import Mapping
from typing import Any

from identify.bundle import LITERT, LITERT_INT8, OPENVINO_FLOAT, OPENVINO_INT8, Bundle, Measured
from identify.learning.measuring import MOST_LOST

ENGINE_NAMES = {
    LITERT: "LiteRT, floats",
    LITERT_INT8: "LiteRT, 8 bits",
    OPENVINO_FLOAT: "OpenVINO, floats",
    OPENVINO_INT8: "OpenVINO, 8 bits",
}
"""What people call the engines."""


def lines(bundle: Bundle) -> list[str]:
    """Return what was made, in a line a fact."""
    about, effort = bundle.about, bundle.training
    told = [f"{about.name}@{about.version}: {len(bundle.classes):,} classes, in {bundle.folder}", *made(effort)]
    unseen = bundle.metrics.get("unseen", {}).get("accuracy")
    if unseen and unseen["of"]:
        told.append(
            f"on groups never seen: {unseen['value']:.1%} put the right class first "
            f"({unseen['right']:,} of {unseen['of']:,}; between {unseen['low']:.1%} and {unseen['high']:.1%})"
        )
    speeds = effort.get("images_per_second", {})
    told += [engine(one, speeds.get(one.engine)) for one in about.engines]
    return [*told, f"serves with {ENGINE_NAMES[about.engine]}"]


def made(effort: Mapping[str, Any]) -> list[str]:
    """Return how a model was made and what that cost."""
    if not effort:
        return []
    weights = f"weights of {effort['weights']}" if effort["weights"] != "chance" else "from nothing"
    instead = f", in the place of {effort['instead_of']}, whose weights are not here" if effort["instead_of"] else ""
    energy = f", {effort['joules'] / 3600:.1f} Wh ({effort['joules_of']})" if effort["joules"] is not None else ""
    return [
        f"recipe {effort['recipe']}, backbone {effort['backbone']} ({weights}){instead}; "
        f"{effort['images']:,} pictures, {len(effort['losses'])} rounds",
        f"{effort['seconds']:.0f} s, {effort['processor_seconds']:.0f} s of processor{energy}",
    ]


def engine(one: Measured, images_per_second: float | None = None) -> str:
    """Return how an engine did beside the float model.

    >>> engine(Measured(engine="litert-int8", images=400, accuracy=0.9, loss_points=0.25, accepted=True))
    'LiteRT, 8 bits: 0.25 points less accurate on 400 held-out pictures: accepted'
    """
    speed = f", {images_per_second:,.0f} pictures a second one at a time" if images_per_second else ""
    verdict = "accepted" if one.accepted else f"refused, more than {MOST_LOST} points"
    less = "less" if one.loss_points >= 0 else "more"
    return (
        f"{ENGINE_NAMES[one.engine]}: {abs(one.loss_points):g} points {less} accurate on {one.images:,} held-out "
        f"pictures{speed}: {verdict}"
    )

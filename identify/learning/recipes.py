"""How a network is taught. In: a campaign's model rules. Out: the plan, with what the rules leave open filled in."""

from dataclasses import dataclass, replace

from crowd.campaign import ModelRules
from identify.bundle import ENGINES, LITERT
from identify.learning.backbones import BACKBONES, SMALL, Backbone
from linkeddata.errors import DatasetError


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How a network is taught, where the campaign does not say otherwise."""

    name: str
    about: str
    epochs: int
    batch: int
    learning_rate: float
    weight_decay: float = 0.0
    smoothing: float = 0.1
    """Share of each label that is spread over all classes, beside what the label lacks of being sure."""
    warm_up: float = 0.1
    """Share of all steps over which the learning rate rises."""
    strange: float = 0.6
    """Strangers made for each picture that is learned."""
    restyled: float = 0.0
    """Share of the pictures that are shown as if by another hand (``augment.restyled``)."""
    averaged: float = 0.0
    """How much of the weights' running mean stays at each step; 0: the weights themselves are kept, not their mean."""
    patience: int = 1
    """So many rounds may bring nothing on pictures set aside for it before learning ends."""


HEAD, FINETUNE, SCRATCH = "head", "finetune", "scratch"
RECIPES: dict[str, Recipe] = {
    one.name: one
    for one in (
        Recipe(
            name=HEAD,
            about="a head learns on features of a backbone that is ready",
            epochs=15,
            batch=256,
            learning_rate=2e-3,
            patience=5,
        ),
        Recipe(
            name=FINETUNE,
            about="a head, the backbone's upper blocks with it, then a head on what these see",
            epochs=8,
            batch=32,
            learning_rate=2e-4,
            weight_decay=0.001,
            strange=0.0,
            restyled=0.78,
            averaged=0.98,
            patience=3,
        ),
        Recipe(
            name=SCRATCH,
            about="the whole network from nothing",
            epochs=70,
            batch=16,
            learning_rate=2e-3,
            weight_decay=0.02,
            patience=20,
        ),
    )
}
"""The recipes by the name that a campaign or the command line calls them."""
BEFORE = {"small": (SCRATCH, SMALL), "inceptionv3": (HEAD, "inceptionv3")}
"""What campaign files called recipe when there were two: recipe and backbone."""
BALANCES = ("logits", "sampling", "none")


@dataclass(frozen=True, slots=True)
class Plan:
    """A recipe, a backbone, and what the campaign's rules say of both."""

    recipe: Recipe
    backbone: Backbone
    image_px: int
    instead_of: str = ""
    """The backbone that was asked for and has no weights here."""


def chosen(rules: ModelRules) -> Plan:
    """Return the plan of ``rules``. Raises ``DatasetError`` for names there are not."""
    called, backbone = BEFORE.get(rules.recipe, (rules.recipe, "inceptionv3"))
    backbone = rules.backbone or backbone
    _refuse_other("recipe", called, RECIPES)
    _refuse_other("backbone", backbone, BACKBONES)
    _refuse_other("balance", rules.balance, BALANCES)
    for engine in rules.engines:
        _refuse_other("engine", engine, [one for one in ENGINES if one != LITERT])
    if backbone == SMALL:
        called = SCRATCH
    return Plan(_changed(RECIPES[called], rules), BACKBONES[backbone], rules.image_px or BACKBONES[backbone].image_px)


def small_instead(plan: Plan, rules: ModelRules) -> Plan:
    """Return the plan of a small network in the place of one whose weights cannot be had."""
    small = BACKBONES[SMALL]
    return Plan(
        _changed(RECIPES[SCRATCH], rules), small, min(small.image_px, plan.image_px), instead_of=plan.backbone.name
    )


def _changed(recipe: Recipe, rules: ModelRules) -> Recipe:
    return replace(recipe, epochs=rules.epochs or recipe.epochs, batch=rules.batch or recipe.batch)


def _refuse_other(what: str, name: str, known: object) -> None:
    names = list(known)  # type: ignore[call-overload]
    if name not in names:
        raise DatasetError(f"no {what} {name!r}; there are {', '.join(names)}")

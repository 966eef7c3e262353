"""The steps on a small painted world: done once, skipped, resumed; a broken thing stops nothing else."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from crowd.campaign import Campaign, CommonsSource, ListSource, SparqlSource
from crowd.campaignfile import load_campaign
from harvest.records import LEFT_TO_DO
from harvest.sample.cabinet import paint_all
from harvest.sample.crowd import sample_world
from harvest.sample.plan import Plate, plates
from harvest.standin import faults
from harvest.standin.server import StandIn
from harvest.standin.world import World
from identify.pipeline import ORDER, Outcome, Run, run_steps
from identify.report import losses, summary, summary_text, write_report
from identify.steps import STEPS
from linkeddata.client import Client
from linkeddata.errors import ContactRequiredError, UsageError
from linkeddata.records import CampaignFile, Failure, Label, MediaFile, Step, Tag, Taxon
from linkeddata.settings import Settings
from linkeddata.store import Store

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "harvest/sample/painted-butterflies.toml"
MOMENT = "2026-01-01T00:00:00Z"


@pytest.fixture(scope="module")
def plan() -> tuple[Plate, ...]:
    return plates(1, doubles=2, strangers_per_engraver=1)


@pytest.fixture(scope="module")
def world(plan: tuple[Plate, ...], tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("cabinet")
    list(paint_all(plan, folder, size_px=64))
    return sample_world(plan, folder)


@pytest.fixture
def campaign() -> Campaign:
    """The sample's campaign without a model: labels and links only."""
    sample = load_campaign(SAMPLE)
    return replace(sample, dataset=replace(sample.dataset, images=False))


@pytest.fixture
def server(world: World, stand_in: Callable[[World], StandIn]) -> StandIn:
    return stand_in(world)


@contextmanager
def opened(campaign: Campaign, settings: Settings) -> Iterator[Run]:
    with Store(settings.store) as store, Client(settings, sleep=lambda _: None) as client:
        yield Run(campaign=campaign, settings=settings, store=store, client=client, now=lambda: MOMENT)


def done(campaign: Campaign, settings: Settings, *steps: str, again: bool = False) -> dict[str, Outcome]:
    with opened(campaign, settings) as run:
        return {outcome.step: outcome for outcome in run_steps(run, STEPS, steps, again=again)}


def statuses(outcomes: dict[str, Outcome]) -> dict[str, str]:
    return {name: outcome.status for name, outcome in outcomes.items()}


def home(server: StandIn, tmp_path: Path, **overrides: object) -> Settings:
    return server.settings(home=str(tmp_path / "home"), pseudonym_key="test", tries=2, **overrides)


def failures(settings: Settings) -> set[tuple[str, str]]:
    with Store(settings.store) as store:
        return {(failure.step, failure.reason) for failure in store.each(Failure)}


def test_the_registry_is_in_the_order_that_is_told() -> None:
    assert tuple(STEPS) == ORDER
    assert all(kind.about for kind in STEPS.values())


def test_what_is_done_is_skipped_and_costs_no_request(server: StandIn, campaign: Campaign, tmp_path: Path) -> None:
    settings = home(server, tmp_path)
    assert set(statuses(done(campaign, settings)).values()) == {"done", "not wanted"}
    server.requests.clear()
    assert set(statuses(done(campaign, settings)).values()) == {"unchanged", "not wanted"}
    assert server.requests.all() == []


def test_again_asks_but_changes_nothing(server: StandIn, campaign: Campaign, tmp_path: Path) -> None:
    settings = home(server, tmp_path)
    done(campaign, settings)
    with Store(settings.store) as store:
        before = list(store.lines(leave_out={Step: {"seconds"}}))
    server.requests.clear()
    assert done(campaign, settings, "harvest", again=True)["harvest"].status == "done"
    assert server.requests.count("/w/api.php") > 0
    assert server.requests.count("/w/api.php", prop="revisions") == 0, "unchanged files' histories were read again"
    with Store(settings.store) as store:
        assert list(store.lines(leave_out={Step: {"seconds"}})) == before


def test_a_changed_rule_does_again_what_depends_on_it(server: StandIn, campaign: Campaign, tmp_path: Path) -> None:
    settings = home(server, tmp_path)
    done(campaign, settings)
    stricter = replace(campaign, count=replace(campaign.count, min_support=3))
    ended = statuses(done(stricter, settings))
    assert {name for name, status in ended.items() if status == "done"} == {"count", "publish", "export"}
    with Store(settings.store) as store:
        assert {label.support >= 3 for label in store.each(Label, status="accepted")} == {True}


def test_only_named_steps_are_done(server: StandIn, campaign: Campaign, tmp_path: Path) -> None:
    settings = home(server, tmp_path)
    assert statuses(done(campaign, settings, "harvest")) == {"harvest": "done"}
    with pytest.raises(UsageError, match="no step 'harvets'; the steps are harvest"):
        done(campaign, settings, "harvets")


def test_two_processes_do_not_work_on_one_campaign(server: StandIn, campaign: Campaign, tmp_path: Path) -> None:
    settings = home(server, tmp_path)
    with opened(campaign, settings) as run:
        outcomes = run_steps(run, STEPS, ("harvest", "names"))
        next(outcomes)
        with pytest.raises(UsageError, match="being worked on by another process"):
            done(campaign, settings)
        list(outcomes)
    assert done(campaign, settings)["names"].status == "unchanged"


def test_without_a_contact_nothing_public_is_asked(campaign: Campaign, tmp_path: Path) -> None:
    with pytest.raises(ContactRequiredError):
        done(campaign, Settings(home=str(tmp_path)))


def test_a_limit_beyond_patience_leaves_the_rest_to_do_and_loses_nothing(
    server: StandIn, campaign: Campaign, tmp_path: Path
) -> None:
    settings = home(server, tmp_path, patience_s=600.0)
    server.faults.next("/w/api.php", faults.TOO_MANY_REQUESTS.after(3600), times=9)
    assert done(campaign, settings, "harvest")["harvest"].status == "incomplete"
    assert ("harvest", LEFT_TO_DO) in failures(settings)
    server.faults.clear()
    assert done(campaign, settings, "harvest")["harvest"].status == "done"
    assert not [reason for step, reason in failures(settings) if reason == LEFT_TO_DO]


def test_commons_down_is_told_and_made_good_later(server: StandIn, campaign: Campaign, tmp_path: Path) -> None:
    settings = home(server, tmp_path)
    for _ in range(40):
        server.faults.next("/w/api.php", faults.UNAVAILABLE.after(0))
    ended = done(campaign, settings)
    assert ended["harvest"].status == "incomplete"
    assert ("harvest", "source failed") in failures(settings)
    assert ended["export"].status == "done"
    server.faults.clear()
    assert set(statuses(done(campaign, settings)).values()) == {"done", "not wanted"}
    assert ("harvest", "source failed") not in failures(settings)


@pytest.mark.parametrize("service", ["/gbif", "/wikidata"])
def test_a_name_service_down_is_told_and_made_good_later(
    server: StandIn, campaign: Campaign, tmp_path: Path, service: str
) -> None:
    settings = home(server, tmp_path)
    for _ in range(60):
        server.faults.next(service, faults.CUT_CONNECTION)
    ended = done(campaign, settings)
    assert ended["harvest"].status == "done"
    assert ended["names"].status == "incomplete"
    assert ended["export"].status == "done"
    assert ("names", "service unreachable") in failures(settings)
    server.faults.clear()
    assert done(campaign, settings)["names"].status == "done"
    assert ("names", "service unreachable") not in failures(settings)
    with Store(settings.store) as store, opened(campaign, home(server, tmp_path / "calm")) as calm:
        list(run_steps(calm, STEPS))
        assert {taxon.query: taxon.concept for taxon in store.each(Taxon)} == {
            taxon.query: taxon.concept for taxon in calm.store.each(Taxon)
        }


def test_one_source_down_does_not_stop_the_others(server: StandIn, campaign: Campaign, tmp_path: Path) -> None:
    settings = home(server, tmp_path, sparql_commons="http://127.0.0.1:9/sparql")
    query = SparqlSource(query="depicted-taxa-of-bhl")
    nowhere = ListSource(path="nowhere.csv")
    several = replace(campaign, sparql=(query,), files=(nowhere,))
    ended = done(several, settings, "harvest")
    assert ended["harvest"].status == "incomplete"
    with Store(settings.store) as store:
        lost = {f.subject: f.detail for f in store.each(Failure, reason="source failed")}
        assert store.count(MediaFile) > 0
    assert lost.keys() == {"query depicted-taxa-of-bhl", "list nowhere.csv"}
    assert "nowhere.csv" in lost["list nowhere.csv"]


def test_a_broken_world_is_told_item_by_item(
    plan: tuple[Plate, ...], world: World, stand_in: Callable[[World], StandIn], campaign: Campaign, tmp_path: Path
) -> None:
    folder = Path(str(world.files[0].image)).parent
    settings = home(stand_in(sample_world(plan, folder, broken=True)), tmp_path)
    pictures = replace(campaign, dataset=replace(campaign.dataset, images=True))
    assert done(pictures, settings, "harvest", "images", "names", "count")["count"].status == "done"
    assert {
        ("harvest", "bad row"),
        ("harvest", "file missing"),
        ("images", "image missing"),
        ("images", "unreadable image"),
        ("names", "unknown item"),
        ("count", "unresolved name"),
    } <= failures(settings)


def test_a_step_that_cannot_be_done_is_a_failure_and_the_rest_goes_on(
    server: StandIn, campaign: Campaign, tmp_path: Path
) -> None:
    settings = home(server, tmp_path)
    greedy = replace(campaign, dataset=replace(campaign.dataset, images=True, min_images=500))
    ended = done(greedy, settings)
    assert {name for name, outcome in ended.items() if outcome.status == "failed"} == {"dataset", "train", "identify"}
    assert ended["dataset"].error is not None
    assert ended["dataset"].error.exit_code == 6
    assert ended["export"].status == "done"
    assert ("dataset", "step failed") in failures(settings)


def test_strangers_are_members_but_not_subjects(server: StandIn, campaign: Campaign, tmp_path: Path) -> None:
    settings = home(server, tmp_path)
    done(campaign, settings, "harvest")
    with Store(settings.store) as store:
        roles = {member.role for member in store.each(CampaignFile)}
        assert roles == {"subject", "stranger"}
        assert {media.simulated for media in store.each(MediaFile)} == {True}


def test_tags_outside_the_campaigns_taxa_are_kept_and_not_counted(
    server: StandIn, campaign: Campaign, tmp_path: Path
) -> None:
    settings = home(server, tmp_path)
    narrow = replace(campaign, root="", taxa=("Pieridae",))
    done(narrow, settings)
    with Store(settings.store) as store:
        families = {
            step.name
            for label in store.each(Label)
            for step in _taxon_of(store, label).lineage
            if step.rank == "family"
        }
        assert families == {"Pieridae"}
        assert store.count(Tag) > store.count(Label)
        assert store.count(Failure, reason="outside the campaign's taxa") > 0


def _taxon_of(store: Store, label: Label) -> Taxon:
    return next(taxon for taxon in store.each(Taxon, concept=label.concept))


def test_two_campaigns_share_files_but_not_tags(server: StandIn, campaign: Campaign, tmp_path: Path) -> None:
    settings = home(server, tmp_path)
    second = replace(campaign, id="second", commons=(CommonsSource(category="Painted strangers of De Boodt (sample)"),))
    done(campaign, settings, "harvest")
    done(second, settings, "harvest")
    with Store(settings.store) as store:
        first = {member.file for member in store.each(CampaignFile, campaign=campaign.id)}
        shared = {member.file for member in store.each(CampaignFile, campaign="second")}
        assert shared
        assert shared < first
        of_first = {tag.id for tag in store.each(Tag, campaign=campaign.id)}
        of_second = {tag.id for tag in store.each(Tag, campaign="second")}
        assert not of_first & of_second


def test_the_log_tells_every_step_and_who_did_it(server: StandIn, campaign: Campaign, tmp_path: Path) -> None:
    settings = home(server, tmp_path)
    done(campaign, settings)
    with Store(settings.store) as store:
        events = list(store.events())
        assert [event.seq for event in events] == list(range(1, len(events) + 1))
        assert {event.subject for event in events if event.kind == "step.added"} == {
            step.id for step in store.each(Step)
        }
        assert {event.agent for event in events} == {"urn:deboodt:software:deboodt-0.1.0"}


def test_report_and_summary_of_a_campaign_without_a_model(server: StandIn, campaign: Campaign, tmp_path: Path) -> None:
    settings = home(server, tmp_path)
    done(campaign, settings)
    with opened(campaign, settings) as run:
        data = summary(run)
        assert "model" not in data
        assert list(data["counts"]) == ["harvest", "names", "count", "publish", "export"]
        assert sum(loss.count for loss in losses(run)) == run.store.count(Failure)
        text = write_report(run).read_text(encoding="utf-8")
    assert "How good the model is" not in text
    assert "Painted plates, simulated crowd" in text
    assert "painted and simulated" in summary_text(data)

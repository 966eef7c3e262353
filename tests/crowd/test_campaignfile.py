"""The campaign file: what it accepts, and how it says no."""

import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from crowd.campaign import (
    LISTS,
    CommonsRules,
    CommonsSource,
    CountRules,
    DatasetRules,
    ExportRules,
    IsaSource,
    ModelRules,
    SparqlSource,
)
from crowd.campaignfile import load_campaign, parse_campaign
from linkeddata.errors import CampaignError

ROOT = Path(__file__).resolve().parents[2]
HEAD = '[campaign]\nid = "eggs"\ntitle = "Eggs"\n'
SOURCE = '[[tags.commons]]\ncategory = "Eggs"\n'


@pytest.mark.parametrize(
    "path", [*sorted((ROOT / "campaigns").glob("*.toml")), ROOT / "harvest/sample/painted-butterflies.toml"]
)
def test_shipped_campaigns_load(path: Path) -> None:
    campaign = load_campaign(path)
    assert campaign.commons or campaign.sparql
    assert campaign.id == path.stem


def test_the_real_albums_are_described() -> None:
    campaign = load_campaign(ROOT / "campaigns/tag-the-species.toml")
    assert campaign.commons[0].category == "Historia Naturalis van Rudolf II"
    assert (campaign.begins, campaign.ends) == ("2021-10-01", "2021-12-31")
    assert campaign.isa[0].number == 165
    assert load_campaign(ROOT / "campaigns/nederlandsche-vogelen.toml").isa[0].number == 72


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[campaign", "eggs.toml: "),
        (SOURCE, "[campaign] id is missing"),
        (HEAD, "no source of tags"),
        (HEAD + SOURCE + "dept = 3", "[tags.commons] dept is not known"),
        (HEAD + SOURCE + "[datset]", "[datset] is not known"),
        (HEAD + "[[tags.commons]]\ndepth = 1", "give exactly one of category, search, uploads, files and depicts"),
        (HEAD + SOURCE + "files = ['M1']", "give exactly one of category, search, uploads, files and depicts"),
        (HEAD + "[[tags.commons]]\nuploads = 'Naturalis'\ndepth = 1", "depth and exclude belong to a category"),
        (HEAD + SOURCE + 'depth = "1"', "[tags.commons] depth = '1': expected a whole number"),
        (HEAD + SOURCE + "captions = 1", "expected true or false"),
        (HEAD + SOURCE + "[dataset]\nrank = 'soort'", "[dataset] rank = 'soort'"),
        (HEAD + SOURCE + "[dataset]\ntest_groups = 'ink'", "expected a list of texts"),
        (HEAD + SOURCE + "[dataset]\ntest_groups = ['ink']\nvalidation_groups = ['ink']", "cannot be in test_groups"),
        (HEAD + SOURCE + "[count]\nmin_support = 0", "at least 1"),
        (HEAD + SOURCE + "role = 'guest'", "role is subject or stranger"),
        (HEAD + "[[tags.isa]]\ncaptions = true", "give either csv or number"),
        (HEAD + "[[tags.isa]]\nnumber = 3\ncsv = 'a.csv'", "give either csv or number"),
        (HEAD + "[[tags.files]]\npath = 'a.csv'\nfile = ''", "give a column for file or for url"),
        (HEAD + "[[tags.files]]\npath = 'a.csv'\nconstants = { licens = 'CC0' }", "constants licens: known are"),
        (HEAD + "[[tags.files]]\npath = 'a.csv'\nconstants = 'CC0'", "expected a list of texts"),
        (HEAD + "[[tags.iiif]]\nname = 'Species'", "[tags.iiif] manifest is missing"),
        (HEAD + "[[tags.iiif]]\nmanifest = 'a.json'\nwidth_px = 'wide'", "expected a whole number"),
        (HEAD + "[tags]\ncommons = 3", "write [[tags.commons]]"),
        (HEAD.replace("eggs", "../eggs") + SOURCE, "letters, digits"),
        (HEAD + "from = '2021-10-01'\n" + SOURCE, "expected a date"),
        (HEAD + "from = 2021-10-02\nuntil = 2021-10-01\n" + SOURCE, "is after until"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(text: str, says: str) -> None:
    with pytest.raises(CampaignError) as refused:
        parse_campaign(text, name="eggs.toml")
    assert says in str(refused.value)
    assert str(refused.value).startswith("eggs.toml: ")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CampaignError, match=r"nowhere\.toml"):
        load_campaign(tmp_path / "nowhere.toml")


def test_every_key_is_documented() -> None:
    text = (ROOT / "docs/campaign-file.md").read_text(encoding="utf-8")
    block = text.split("```toml")[1].split("```")[0]
    kinds = (
        CommonsSource,
        IsaSource,
        SparqlSource,
        *LISTS.values(),
        CountRules,
        DatasetRules,
        ModelRules,
        ExportRules,
        CommonsRules,
    )
    for kind in kinds:
        for about in fields(kind):
            assert f"\n{about.name} = " in block, f"{kind.__name__}.{about.name} is not in docs/campaign-file.md"


def test_the_documented_file_is_a_valid_campaign() -> None:
    block = (ROOT / "docs/campaign-file.md").read_text(encoding="utf-8").split("```toml")[1].split("```")[0]
    assert tomllib.loads(block)
    assert parse_campaign(block, name="docs").isa[1].number == 165

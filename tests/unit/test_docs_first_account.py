"""The page of trials by hand, and the path of docs/deploy.md: each thing that is unconfirmed has its trial."""

import json
import re

import pytest

from local.cloud.template import TEMPLATE
from speechcall.requests.use_cases.check_request import read_request
from tests.unit.test_docs_telephony import HEAD

DOCS = TEMPLATE.parent / "docs"
PAGE = (DOCS / "first-account.md").read_text(encoding="utf-8")
PATH = (DOCS / "deploy.md").read_text(encoding="utf-8").partition("\n## Quotas")[0]
UNSURE = ("telephony.md", "deploy.md", "restore.md")
LINK = re.compile(r"trial \[(\d+)\]\(first-account\.md#([\w-]+)\)")


def trials():
    """The section of each trial, by its number, in the page's order."""
    found = []
    section = ""
    for line in PAGE.splitlines():
        if line.startswith("## "):
            section = re.sub(r"[^\w\- ]", "", line[3:].lower()).replace(" ", "-")
        if row := re.match(r"\| (\d+) \| .+ \| .+ \|$", line):
            found.append((int(row[1]), section))
    return found


def rows(name):
    """The rows of a page's tables of assumptions."""
    page = (DOCS / name).read_text(encoding="utf-8") if (DOCS / name).exists() else ""
    for table in page.split(f"{HEAD}\n")[1:]:
        yield from (line for line in table.partition("\n\n")[0].splitlines()[1:] if line.startswith("|"))


def test_the_trials_are_numbered_in_their_order():
    assert [number for number, _ in trials()] == [*range(1, len(trials()) + 1)]
    assert len(trials()) > 50


@pytest.mark.parametrize("name", UNSURE)
def test_each_assumption_names_its_trial(name):
    lost = [row for row in rows(name) if not LINK.search(row)]
    assert lost == []


def test_the_pages_have_assumptions():
    assert sum(1 for name in UNSURE for _ in rows(name)) > 80


def test_a_trial_that_is_named_stands_in_the_section_that_is_linked():
    named = [
        (page.name, int(one), at) for page in DOCS.glob("*.md") for one, at in LINK.findall(page.read_text("utf-8"))
    ]
    assert [one for one in named if (one[1], one[2]) not in trials()] == []


def test_the_steps_of_the_path_are_numbered_and_each_says_what_is_seen():
    steps = re.split(r"\n### (\d+)\. ", PATH)[1:]
    numbers, texts = steps[::2], steps[1::2]
    assert [int(number) for number in numbers] == [*range(1, len(numbers) + 1)]
    assert [text.splitlines()[0] for text in texts[:-1] if "*You see*" not in text] == []
    assert sum(map(int, re.findall(r"^### \d+\. .+\((\d+) minute", PATH, re.MULTILINE))) <= 60
    for first, last in re.findall(r"steps? (\d+)(?: (?:to|and) (\d+))? of \[deploy", PAGE):
        assert {first, last or first} <= set(numbers)


def requests():
    """The requests that the two pages have sent."""
    (fenced,) = re.findall(r"```json\n(.+?)```", PAGE, re.DOTALL)
    (typed,) = re.findall(r"-d '(\{.+?\})'\n", PATH, re.DOTALL)
    return {"trial.json": fenced, "step 7": typed}


@pytest.mark.parametrize(("name", "body"), requests().items(), ids=requests())
def test_what_is_sent_is_acceptable(name, body):
    (entry,) = read_request(json.dumps(json.loads(body)).encode()).entries
    assert entry.problems == (), name
    assert entry.wanted is not None

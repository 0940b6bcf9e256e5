"""The documentation leads where it says: links, commands, paths, and the pages that list what the code has."""

import ast
import re
import sys
from functools import cache
from importlib import import_module
from importlib.metadata import metadata
from itertools import pairwise
from pathlib import Path

import pytest
import typer

from cli.main import app
from local.cloud.intrinsics import read_document
from speechcall.shared.rules import time_bounds

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")] + sorted(DOCS.glob("*.md"))
MEASURED = ["CONTRIBUTING.md", "SECURITY.md"] + [
    f"docs/{name}.md" for name in ("architecture", "storage", "glossary", "troubleshooting", "runbook", "dependencies")
]
"""The pages whose lines have at most 120 characters."""
_FENCE = re.compile(r"^```.*?^```\n", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def text_of(path):
    return path.read_text(encoding="utf-8")


def prose_of(path):
    """A page without its fenced blocks."""
    return _FENCE.sub("", text_of(path))


def headings_of(path):
    return re.findall(r"^#+ (.+)$", prose_of(path), re.MULTILINE)


def anchors_of(path):
    """The anchors that GitHub gives a page's headings: letters, digits, hyphens, underscores; a repeat is numbered."""
    found = []
    for heading in headings_of(path):
        anchor = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        repeats = found.count(anchor)
        found.append(f"{anchor}-{repeats}" if repeats else anchor)
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_relative_link_leads_to_a_file_and_a_heading(page):
    lost = []
    for target in _LINK.findall(prose_of(page)):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        found = (page.parent / name).resolve() if name else page
        if not found.exists() or (anchor and anchor not in anchors_of(found)):
            lost.append(target)
    assert lost == []


def test_each_decision_is_in_the_index_of_its_page():
    page = DOCS / "decisions.md"
    index = text_of(page).partition("\n## 2")[0]
    linked = {target.removeprefix("#") for target in _LINK.findall(index) if target.startswith("#")}
    decisions = {anchor for anchor in anchors_of(page) if re.match(r"\d{4}-\d\d-\d\d-", anchor)}
    assert decisions == {anchor for anchor in linked if re.match(r"\d{4}-", anchor)}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_blank_line_stands_before_each_heading(page):
    lines = prose_of(page).splitlines()
    assert [line for before, line in pairwise(lines) if re.match("#+ ", line) and before] == []


def test_each_page_is_in_the_table_of_the_readme():
    linked = {target.partition("#")[0] for target in _LINK.findall(text_of(ROOT / "README.md"))}
    assert {page.relative_to(ROOT).as_posix() for page in PAGES} - linked == {"README.md"}


@pytest.mark.parametrize("name", MEASURED)
def test_no_line_is_longer_than_120_characters(name):
    assert [line for line in text_of(ROOT / name).splitlines() if len(line) > 120] == []


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CHANGELOG.md"], ids=lambda page: page.name)
def test_no_sentence_runs_beyond_120_characters(page):
    """What may: a row of a table, a command or an answer as it is, a link's target."""
    long = [line for line in prose_of(page).splitlines() if len(line) > 120]
    assert [line for line in long if not re.match(r"\||    |- \[.*\]\(.*\)$", line)] == []


# ------------------------------------------------------------------ commands
def commands_of(command, words=()):
    """Every command of a command line, by its words."""
    below = getattr(command, "commands", None)
    if below is None:
        return {words: command}
    return {name: one for word, sub in below.items() for name, one in commands_of(sub, (*words, word)).items()}


COMMANDS = commands_of(typer.main.get_command(app))
_NOUNS = {noun for noun, *_ in COMMANDS}
_NOUNS_IN_A_NOUN = {words[:2] for words in COMMANDS if len(words) == 3}
"""`account key`, which has verbs of its own."""


def command_lines(text):
    """What is written to be typed: indented lines, fenced blocks, and code in a sentence."""
    indented = re.findall(r"^ {4,}(.+)$", text, re.MULTILINE)
    fenced = [line for block in _FENCE.findall(text) for line in block.splitlines()]
    return [*indented, *fenced, *re.findall(r"`([^`\n]+)`", text)]


def typed(line, program):
    """The words behind a program's name, where a line calls it; a prompt and a path before it do not matter."""
    called = re.match(rf"\W*(?:[\w./-]+/)?{program} ([^|&;>]*)", line)
    return called[1].split() if called else None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_command_exists_with_its_options(page):
    wrong = []
    for line in command_lines(text_of(page)):
        words = typed(line, "speechcall")
        if not words or not all(re.fullmatch(r"[a-z-]+", word) for word in words[:2]):  # `speechcall NOUN VERB`, `…`
            continue
        length = 1 if (words[0],) in COMMANDS else 3 if tuple(words[:2]) in _NOUNS_IN_A_NOUN else 2
        command = COMMANDS.get(tuple(words[:length]))
        known = {option for one in command.params for option in one.opts + one.secondary_opts} if command else set()
        unknown = [
            word
            for word in words[length:]
            if word.startswith("--") and word.partition("=")[0] not in {*known, "--help"}
        ]
        if len(words) > 1 and (command is None or unknown):
            wrong.append(line)
        if len(words) == 1 and words[0] not in _NOUNS:
            wrong.append(line)
    assert wrong == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_target_of_make_exists(page):
    targets = set(re.findall(r"^([a-z][a-z-]*):", text_of(ROOT / "Makefile"), re.MULTILINE))
    called = [words for line in command_lines(text_of(page)) if (words := typed(line, "make"))]
    asked = {word for words in called for word in words[:1] if re.fullmatch(r"[a-z][a-z-]*", word)}
    assert asked - targets == set()


# --------------------------------------------------------------------- paths
_TREES = "benchmarks|bin|cli|docs|events|examples|functions|layers|local|speechcall|telephony|tests"


@pytest.mark.parametrize("name", MEASURED)
def test_each_path_exists(name):
    """A path in code stands in full, and `speechcall/` in the place of `layers/core/speechcall/`."""
    paths = set(re.findall(rf"`((?:{_TREES})/[\w./-]*)`", prose_of(ROOT / name)))
    homes = {path: ROOT / ("layers/core" if path.startswith("speechcall/") else "") / path for path in paths}
    assert [path for path, home in homes.items() if not home.exists()] == []


# --------------------------------------------------- what the code has is said
def sources_in(*places):
    """The modules of folders; or single modules."""
    homes = [ROOT / place for place in places]
    return [source for home in homes for source in ([home] if home.is_file() else sorted(home.rglob("*.py")))]


@cache
def nodes_of(source):
    return list(ast.walk(ast.parse(text_of(source))))


@cache
def texts_of(source):
    return [one.value for one in nodes_of(source) if isinstance(one, ast.Constant) and isinstance(one.value, str)]


def texts_in(*places):
    """The text constants of the code, with the parts of f-strings apart."""
    return [text for source in sources_in(*places) for text in texts_of(source)]


def _lines_that_the_runbook_looks_for():
    """The texts of its filter patterns, of which each is a text in the line, or `$.message = "…"`."""
    patterns = re.findall(r"--filter-pattern '([^']+)'", text_of(DOCS / "runbook.md"))
    words = [re.findall(r'(?:^|[ ?])"([^"]+)"', one) for one in patterns if not one.startswith("{")]
    messages = [re.findall(r'[$][.]message = "([^"]+)"', one) for one in patterns]
    return {one for found in (*words, *messages) for one in found}


@pytest.mark.slow
def test_each_log_line_that_a_query_looks_for_is_written():
    """What stands between slashes behind `like` is a part of a message in the code."""
    page = text_of(DOCS / "troubleshooting.md")
    wanted = set(re.findall(r"(?<!@)message like /([^/]+)/", page))
    wanted |= set(re.findall(r'message = "([^"]+)"', page))
    wanted |= _lines_that_the_runbook_looks_for()
    said = "\n".join(texts_in("layers/core", "functions"))
    assert wanted
    assert [words for words in wanted if words not in said] == []


def names_in(function):
    """`self._logger.error` as [`error`, `_logger`, `self`], joined."""
    names = []
    while isinstance(function, ast.Attribute):
        names.append(function.attr)
        function = function.value
    return " ".join([*names, function.id]) if isinstance(function, ast.Name) else " ".join(names)


def fields_of_log_lines():
    """Words given to a logger, and members of maps that are: in a call of it, in `fields`, or made for that."""
    found = set()
    for node in (node for source in sources_in("layers/core", "functions") for node in nodes_of(source)):
        is_call = isinstance(node, ast.Call) and "logger" in names_in(node.func)
        is_named = isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in ("fields", "names")
        is_made = isinstance(node, ast.FunctionDef) and re.search("fields", node.name)
        if is_call:
            found |= {word.arg for word in node.keywords}
        if is_call or is_named or is_made:
            maps = [one for one in ast.walk(node) if isinstance(one, ast.Dict)]
            found |= {key.value for one in maps for key in one.keys if isinstance(key, ast.Constant)}
    return found


def test_each_field_that_a_query_names_is_logged():
    """By a call of the logger, or by Powertools or Lambda (`LogFormat: JSON`) with every line."""
    always = {"level", "message", "function_name", "exception", "exception_name", "errorType", "errorMessage", "type"}
    logged = fields_of_log_lines()
    named = set()
    for block in _FENCE.findall(text_of(DOCS / "troubleshooting.md")):
        for line in re.findall(r"^fields (.+)$", block, re.MULTILINE):
            named |= set(line.split(", "))
    named = {name for name in named if not name.startswith(("@", "record."))}
    assert {"mid", "webhook_id"} <= named
    assert named - always - logged == set()


KEYS = "layers/core/speechcall/shared/adapters/keys.py"
"""The one module that makes keys."""


def key_words(*folders):
    """The words with which the code begins keys: `M` of `M#<mid>`, or a whole one."""
    return {key for text in texts_in(*folders) for key in re.findall(r"^([A-Z]+(?=#$)|[A-Z][A-Z_]+$)", text)}


def test_each_kind_of_item_is_in_the_page_of_storage():
    keys = key_words(KEYS)
    said = set(re.findall(r"[A-Z]+(?=#)|[A-Z][A-Z_]+", text_of(DOCS / "storage.md")))
    assert {"M", "HOOK", "CALL", "POOL", "WEBHOOK_SECRETS"} <= keys
    assert keys - said == set()


def test_each_part_of_the_index_due_is_in_the_page_of_storage():
    page = text_of(DOCS / "storage.md")
    parts = {"settling", "later", "webhook#", "undelivered#", "fallback`", "queued#", "preparing#", "calling#"}
    assert [part for part in parts if f"`{part}" not in page] == []


@pytest.mark.slow
def test_keys_are_made_in_one_module():
    """What begins like a key, in a text or as a part of one, stands nowhere else; but names of credentials."""
    whole = {word for word in key_words(KEYS) if "_" in word}
    elsewhere = {
        (source.name, text)
        for source in sources_in("layers/core", "functions", "cli", "local")
        if source != ROOT / KEYS
        for text in texts_of(source)
        if re.match(r"[A-Z]+#$", text) or text in whole
    }
    assert elsewhere == {("accounts.py", "USER#"), ("accounts.py", "KEY#"), ("accounts.py", "NAMED#")}


def test_each_table_bucket_and_queue_is_in_the_page_of_storage():
    kinds = "DynamoDB::Table|S3::Bucket|SQS::Queue"
    kept = re.findall(rf"^  (\w+):.*\n    Type: AWS::(?:{kinds})$", text_of(ROOT / "template.yaml"), re.MULTILINE)
    assert len(kept) > 8
    page = text_of(DOCS / "storage.md")
    assert [name for name in kept if f"`{name}`" not in page] == []


def test_each_function_is_in_the_page_of_the_architecture():
    page = text_of(DOCS / "architecture.md")
    folders = [app.parent.name for app in ROOT.glob("functions/*/app.py")]
    assert folders
    assert [name for name in folders if f"\n| `{name}` |" not in page] == []


def test_each_time_bound_is_in_the_page_of_the_architecture_with_its_value():
    tree = ast.parse(text_of(ROOT / "layers/core/speechcall/shared/rules/time_bounds.py"))
    targets = [target for node in tree.body if isinstance(node, ast.Assign) for target in node.targets]
    names = {one.id for target in targets for one in ast.walk(target) if isinstance(one, ast.Name)}
    rows = re.findall(r"^\| (`[A-Z_]+`.*?) \| (.+?) \|", text_of(DOCS / "architecture.md"), re.MULTILINE)
    said = {
        name: value.removesuffix(" s").replace(",", "")
        for cell, values in rows
        for name, value in zip(re.findall(r"\w+", cell), re.split(r", (?=\d)", values), strict=True)
    }
    assert said == {name: f"{getattr(time_bounds, name):g}" for name in names}


# ------------------------------------------------------------------ licences
def rows_of_licences():
    """The licence of each package in the page of dependencies."""
    section = text_of(DOCS / "dependencies.md").partition("\n## Licences")[2].partition("\n##")[0]
    return dict(re.findall(r"^\| ([\w-]+) \| ([^|]+) \|", section, re.MULTILINE))


def locked():
    locks = sorted((ROOT / "layers").glob("*/requirements.lock"))
    return {name for lock in locks for name in re.findall(r"^([\w.-]+)==", text_of(lock), re.MULTILINE)}


@pytest.mark.parametrize("package", sorted(locked()))
def test_each_package_of_the_layers_has_its_licence_as_it_says_itself(package):
    said = metadata(package)
    (licence, *_) = [said[name] for name in ("License-Expression", "License") if name in said]
    assert rows_of_licences()[package].startswith(licence)


def test_no_other_package_has_a_licence_there():
    assert set(rows_of_licences()) - {"package"} == locked()


@pytest.mark.skipif(sys.platform != "linux", reason="the layers have the wheels for Linux")
def test_what_is_said_of_ffmpeg_is_so():
    built = import_module("av._core").library_meta["libavcodec"]
    page = " ".join(text_of(DOCS / "dependencies.md").split())
    assert built["license"] in page
    options = built["configuration"].split()
    said = {option: f"`{option}`" in page for option in ("--enable-version3", "--enable-libx264", "--enable-libx265")}
    assert said == {option: option in options for option in said}
    assert not {"--enable-gpl", "--enable-nonfree"} & {*options}


def test_the_template_is_read_as_it_is_written():
    """The expressions above find resources by their lines; a template of another form would find none."""
    kinds = re.findall(r"^    Type: (AWS::[\w:]+)$", text_of(ROOT / "template.yaml"), re.MULTILINE)
    resources = read_document(ROOT / "template.yaml")["Resources"]
    assert sorted(kinds) == sorted(one["Type"] for one in resources.values() if one["Type"].startswith("AWS::"))

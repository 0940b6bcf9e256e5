"""tests/README.md names every tool of the tests."""

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
TEXT = (TESTS / "README.md").read_text(encoding="utf-8")


def test_the_map_has_each_part_of_the_kit_and_no_other():
    there = {
        f"{folder}/{path.name}{'/' if path.is_dir() else ''}"
        for folder in ("kit", "stores")
        for path in (TESTS / folder).iterdir()
        if path.name not in ("__pycache__", "__init__.py")
    }
    named = set(re.findall(r"`((?:kit|stores)/[^`]+)`", TEXT))
    assert named == there


def test_the_map_has_each_folder_of_tests():
    folders = {f"{path.name}/" for path in TESTS.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders - set(re.findall(r"`(\w+/)`", TEXT)) == set()

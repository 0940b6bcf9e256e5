"""Chromium for tests: one browser for a module, and pages of which nothing wrong goes unseen."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.kit.npm import ROOT, node_package

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WAIT_MSEC = 15_000
AXE = "axe-core@4.14.1"
SCREENSHOTS = ROOT / "build" / "screenshots"


@contextmanager
def chromium(*flags: str) -> Iterator[Browser]:
    """A browser, with further flags."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, *flags])
        yield browser
        browser.close()


@contextmanager
def watched(
    browser: Browser, *urls: str, width: int = 1280, scheme: str = "light", bypass_csp: bool = False
) -> Iterator[Page]:
    """A page of these sites. Raises AssertionError at the end if a script of it failed, its console had an error, or it
    asked another host for anything.

    What a server refuses is told by Chromium in the console too: "Failed to load resource" is not counted. With
    `bypass_csp` the page's policy is not in force, and `wait_for_function` works, which needs eval.
    """
    context = browser.new_context(
        viewport={"width": width, "height": 860},
        color_scheme=scheme,  # type: ignore[arg-type]
        bypass_csp=bypass_csp,
        accept_downloads=True,
    )
    page = context.new_page()
    page.set_default_timeout(WAIT_MSEC)
    wrong: list[str] = []
    hosts = {urlsplit(url).netloc for url in urls}
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda told: wrong.append(told.text) if told.type in ("error", "warning") else None)
    page.on("request", lambda asked: wrong.append(asked.url) if _is_elsewhere(asked.url, hosts) else None)
    yield page
    context.close()
    assert [one for one in wrong if not one.startswith("Failed to load resource")] == []


def _is_elsewhere(url: str, hosts: set[str]) -> bool:
    return urlsplit(url).scheme in ("http", "https", "ws", "wss") and urlsplit(url).netloc not in hosts


def axe(page: Page) -> list[str]:
    """What axe-core calls serious or critical on a page, as it is now. Skips where axe-core cannot be had."""
    home = node_package(AXE, "no page was looked at by axe-core")
    script = (home / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
    if not page.evaluate("'axe' in window"):
        page.evaluate(script)
    found = page.evaluate("axe.run().then(told => told.violations)")
    return [
        f"{one['id']}: {node['html'][:160]} {node['failureSummary'][:300]}"
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


def screenshot(page: Page, name: str) -> Path:
    """Keeps what a page looks like in build/screenshots, in CI or if SCREENSHOTS is set."""
    path = SCREENSHOTS / f"{name}.png"
    if os.environ.get("SCREENSHOTS") or os.environ.get("CI"):
        path.parent.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=path)
    return path


needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: no page was looked at")

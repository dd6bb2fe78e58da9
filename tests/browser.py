"""A page on disk in headless Chromium, and what it asks for."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

from bench import screenshot

MISSING = pytest.mark.skipif(screenshot.browser() is None, reason="no chromium; apt-get install chromium")


@dataclass(frozen=True)
class Opened:
    """A page, and the addresses that it has asked for besides itself."""

    page: Page
    asked: list[str]

    @property
    def overflow(self) -> int:
        """Pixels by which the page is wider than the window."""
        root = "document.documentElement"
        return int(self.page.evaluate(f"{root}.scrollWidth - {root}.clientWidth"))

    def outside(self, selector: str) -> list[str]:
        """Texts of the elements that reach beyond the window."""
        right = (
            f"[...document.querySelectorAll('{selector}')].filter(e => e.getBoundingClientRect().right > innerWidth)"
        )
        return list(self.page.evaluate(f"{right}.map(e => e.textContent.slice(0, 40))"))


@contextlib.contextmanager
def opened(file: Path, width: int, dark: bool = False) -> Iterator[Opened]:
    """The page in a window of some width; no script of its own runs."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=screenshot.browser(), args=list(screenshot.FLAGS))
        page = chromium.new_page(viewport={"width": width, "height": 900}, color_scheme="dark" if dark else "light")
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(file.as_uri())
        yield Opened(page, [each for each in asked if each != file.as_uri() and not each.startswith("data:")])
        chromium.close()

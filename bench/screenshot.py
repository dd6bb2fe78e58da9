"""MLflow's pages in headless Chromium: the comparison of block sizes, in the README, and the page of a run.

`python -m bench.screenshot --receipt build/published.json` starts `components.ui`, opens its links, and writes
docs/images/compare.png and docs/images/run.png.
"""

import contextlib
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from components import tracking
from ernn import artifacts
from ernn.arguments import Parser

FLAGS = (  # no sandbox: Chromium as root refuses one; the others keep it off the network
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)
START_S = 240
WIDTH = 1200  # of a picture, in pixels
ROOT = Path(__file__).parents[1]


def browser() -> str | None:
    """Chromium's program, as Debian installs it."""
    return shutil.which("chromium")


@contextlib.contextmanager
def served(receipt: Path) -> Iterator[dict[str, str]]:
    """Run `components.ui` until the block ends; the links that it writes, once the server answers."""
    command = [sys.executable, "-m", "components.ui", "--receipt", str(receipt)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}  # stages are run from the repository and are not installed
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, **pipes, text=True, env=environment) as server:
        try:
            assert server.stdout is not None
            found = re.search(r"http\S+", server.stdout.readline())
            if found is None:
                raise RuntimeError("components.ui printed no link")
            _wait_for(found[0].split("#")[0] + "health")
            yield dict(line.split(": ", 1) for line in receipt.with_name("links.txt").read_text().splitlines())
        finally:
            server.terminate()


@contextlib.contextmanager
def opened(link: str, drawn: str = ".js-plotly-plot .parcoords", height: int = 660) -> Iterator[Page]:
    """The page behind `link`, once an element is drawn, with the assistant panel closed."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser(), args=list(FLAGS))
        page = chromium.new_page(viewport={"width": WIDTH + 100, "height": height}, device_scale_factor=1)
        page.goto(link)
        page.locator(drawn).first.wait_for(timeout=START_S * 1000)
        page.get_by_role("button", name="Close").click()
        page.set_viewport_size({"width": WIDTH, "height": height})  # the plot takes its new width
        page.wait_for_timeout(2000)
        yield page
        chromium.close()


def run_page(links: dict[str, str], receipt: Path) -> str:
    """Address of the last design's page."""
    note = artifacts.read_record(receipt, tracking.Receipt)
    place, _, query = links["all runs"].partition("?")
    return f"{place}/{[*note.block_runs.values()][-1]}?{query}"


def _wait_for(url: str) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end:
        with contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError):
            urllib.request.urlopen(url, timeout=5)
            return
        time.sleep(0.2)
    raise RuntimeError(f"{url} did not answer within {START_S} s")


def main() -> None:
    """Write the picture."""
    parser = Parser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--receipt", type=Path, default=Path("build/published.json"), help="what `publish` has written")
    parser.add_argument(
        "--picture", type=Path, default=Path("docs/images/compare.png"), help="to write; run.png beside it"
    )
    options = parser.parse_args()
    options.picture.parent.mkdir(parents=True, exist_ok=True)
    with served(options.receipt) as links:
        with opened(links["block sizes"]) as page:
            page.screenshot(path=options.picture)
        with opened(run_page(links, options.receipt), "text=Registered models", 880) as page:
            page.screenshot(path=options.picture.with_name("run.png"))


if __name__ == "__main__":
    main()

"""Pages in headless Chromium: MLflow's comparison of block sizes and page of a run, and the report at two widths.

`python -m bench.screenshot` starts `components.ui`, opens its links, and writes compare.png, run.png, report.png and
report-phone.png into docs/images.
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
SCREENS = {"report": (WIDTH, 900), "report-phone": (390, 844)}  # pixels of a desk's and a phone's screen
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


def picture(page_file: Path, size: tuple[int, int], target: Path) -> None:
    """The first screen of a page.

    Args:
        size: of the screen, in pixels.
        target: .png to write.
    """
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser(), args=list(FLAGS))
        page = chromium.new_page(viewport={"width": size[0], "height": size[1]}, device_scale_factor=1)
        page.goto(page_file.resolve().as_uri())
        page.screenshot(path=target)
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
    """Write the pictures."""
    parser = Parser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--receipt", type=Path, default=Path("build/published.json"), help="what `publish` has written")
    parser.add_argument("--report", type=Path, default=Path("report/report.html"), help="what `report` has written")
    parser.add_argument("--pictures", type=Path, default=Path("docs/images"), help="folder to write into")
    options = parser.parse_args()
    options.pictures.mkdir(parents=True, exist_ok=True)
    for name, size in SCREENS.items():
        picture(options.report, size, options.pictures / f"{name}.png")
    with served(options.receipt) as links:
        with opened(links["block sizes"]) as page:
            page.screenshot(path=options.pictures / "compare.png")
        with opened(run_page(links, options.receipt), "text=Registered models", 880) as page:
            page.screenshot(path=options.pictures / "run.png")


if __name__ == "__main__":
    main()

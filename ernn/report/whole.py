"""The whole report as values: its pages and figures by file name."""

from collections.abc import Mapping

from matplotlib.figure import Figure

from ernn.artifacts import Texts
from ernn.report import (
    benchmark,
    benchmark_figures,
    benchmark_terminal,
    document,
    figures,
    hardware,
    integer,
    training_figures,
)
from ernn.report.page import image, page
from ernn.report.published import published
from ernn.report.results import Results

EMBEDDED = """
## About this page

Nothing is loaded from elsewhere. Figures are drawn by Matplotlib; the letters in them are outlines of its font DejaVu
Sans (licence of Bitstream Vera). The same text, with figures as files, is `report.md`.
"""


def texts(results: Results, drawn: Mapping[str, Figure]) -> Texts:
    """report.md, the same as the page report.html, and benchmark.txt for the terminal."""
    section = integer.section(results.integers, results.settings.quantization.budget_points)
    section += hardware.section(results.accelerators) + benchmark.section(results.accelerators)
    markdown = document.markdown(results, section)
    return Texts(
        {
            "report.md": markdown,
            "report.html": page(markdown + EMBEDDED, lambda name, caption: image(figures.svg(drawn[name]), caption)),
            "benchmark.txt": benchmark_terminal.table(results.accelerators),
        }
    )


def drawn(results: Results) -> dict[str, Figure]:
    """Every figure that the pages show."""
    found = {
        "per": figures.per_over_block_size(results.networks),
        "degradation": figures.degradation(results.networks),
        "training": training_figures.training_curves(results.networks),
        **{f"training-{each.name}": training_figures.one_curve(each) for each in results.networks},
        **integer.figures(results.integers),
        **benchmark_figures.figures(results.accelerators, published()),
    }
    return {f"{name}.png": figure for name, figure in found.items()}

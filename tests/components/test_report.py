"""The report, made from results on disk as a user makes it."""

import contextlib
import re
import shutil
from dataclasses import fields
from pathlib import Path

import pytest
import yaml

from components.report import report
from components.stage import main
from ernn import artifacts
from ernn.params import ENTRIES, Parameters
from ernn.report import results as results_of
from tests import browser, full
from tests.report.parsed import Parsed

FLAGS = ["--metrics-folder", "metrics", "--curves", "curves", "--scores", "scores"]
FLAGS += ["--benchmarks", "benchmarks", "--report", "report"]
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def made(results, tmp_path_factory):
    folder = shutil.copytree(results, tmp_path_factory.mktemp("report") / "here")
    with contextlib.chdir(folder):
        main(report, FLAGS)
    return folder / "report"


def test_every_figure_of_the_text_is_there_and_every_figure_is_shown(made):
    shown = set(re.findall(r"!\[[^]]+\]\(([^)]+)\)", (made / "report.md").read_text()))
    files = {each.name for each in made.glob("*.png")}
    assert shown == files
    assert len(files) == 3 + 7 + 2 + 4
    assert all((made / name).read_bytes().startswith(PNG) for name in files)


@pytest.mark.parametrize("left", [0, 100_000])
def test_without_space_there_is_no_part_of_a_report(results, tmp_path, capsys, left):
    with (
        full.small_disk(tmp_path / "disk", 16 << 20) as disk,
        contextlib.chdir(shutil.copytree(results, disk / "here")),
    ):
        ballast = full.fill(disk, left)
        with pytest.raises(SystemExit, match="2"):
            main(report, FLAGS)
        assert capsys.readouterr().err.startswith("report: report: no space left on device to write it (")
        assert not [*Path.cwd().glob("*report*")]
        ballast.unlink()
        main(report, FLAGS)
        assert Path("report", "report.html").exists()


def test_the_page_holds_the_text_and_every_figure(made):
    """Cells of all tables, in their order; figures inside, so that the page can be sent as one file."""
    text, found = (made / "report.md").read_text(), Parsed((made / "report.html").read_text())
    lines = [line[2:-2] for line in text.splitlines() if re.match(r"\| (?!---)", line)]
    assert found.tags.count("th") + found.tags.count("td") == sum(line.count(" | ") + 1 for line in lines)
    assert all(cell.strip(" *") in found.text for line in lines for cell in line.split(" | "))
    assert [each["alt"] for each in found.of("img")] == re.findall(r"!\[([^]]+)\]", text)
    assert all((each["src"] or "").startswith("data:image/svg+xml;base64,") for each in found.of("img"))
    assert "script" not in found.tags
    assert (made / "report.html").stat().st_size < 3_000_000


@pytest.mark.system
@pytest.mark.browser
@browser.MISSING
@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_fits_its_window_and_asks_for_nothing(made, width):
    with browser.opened(made / "report.html", width, dark=True) as found:
        assert found.overflow == 0
        assert found.asked == []
        assert found.page.evaluate("[...document.images].every(each => each.naturalWidth > 0)")
        found.page.set_viewport_size({"width": 1032, "height": 700})  # A4 across, within its margins
        found.page.emulate_media(media="print")
        assert found.outside("table, td, th, img") == []


def test_table_has_each_network_with_its_interval(made):
    text = (made / "report.md").read_text()
    rows = [[cell.strip(" *") for cell in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("| ")]
    table = {row[0]: row for row in rows if len(row) == 10 and row[1] in ("lstm", "gru")}
    assert [*table] == ["lstm", "gru", "lstm-k2", "lstm-k4", "lstm-k4-direct", "gru-mixed", "lstm-pruned"]
    assert table["lstm-k4"][1:4] == ["lstm", "admm", "4"]
    assert table["gru-mixed"][3] == "2/4/1"
    assert table["lstm-pruned"][3] == "–"
    low, high = (float(value) for value in table["lstm-k4"][9].split(" to "))
    assert low <= float(table["lstm-k4"][8]) <= high
    assert table["lstm"][8:] == ["–", "–"]


def test_integer_networks_stand_with_their_widths_and_loss(made):
    text = (made / "report.md").read_text()
    rows = [[cell.strip(" *") for cell in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("| ")]
    table = {row[0]: row for row in rows if row[0] in ("lstm-k4-12", "lstm-k2-narrow")}
    assert table["lstm-k4-12"][1:4] == ["lstm-k4", "exact", "12"]
    assert table["lstm-k2-narrow"][1:4] == ["lstm-k2", "fourier", "8"]
    assert table["lstm-k4-12"][7:] == ["0.00 (a tie)", "+0.00 to +0.00", "no"]
    assert "lose at most 0.1 points on the development set" in text


def test_accelerators_stand_with_their_cycles(made):
    text = (made / "report.md").read_text()
    assert rows_of(text)[0] == ["lstm-k4-small", "lstm-k4-12", "70", "40 %", "250.0", "300", "9"]


def rows_of(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.startswith("| lstm-k4-small ")]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]


def test_the_benchmark_quotes_the_clock_that_was_routed_and_names_estimates(made):
    quoted, *resources = rows_of((made / "report.md").read_text())[1:]
    assert quoted[1:8] == [
        "ecp5-85f",
        "50.0 MHz (routed)",
        "250.0",
        "6.00 us",
        "5.00 us",
        "200,000",
        "4,000 x",
    ]
    assert re.fullmatch(r"[\d.]+ uJ \(estimate, [\d.]+ to [\d.]+\)", quoted[8])
    assert quoted[9].endswith("(estimate)")
    *resources, both = resources
    assert [row[1] for row in resources] == ["Lattice ECP5-85F", "Kintex UltraScale XCKU060", "Zynq-7020 (PYNQ-Z2)"]
    assert resources[0][3:5] == ["words", "1, 1"]
    assert resources[0][5:] == ["20,000 (24 %)", "30,000 (36 %)", "70 (45 %)", "4.5 (2 %)", "50.0 MHz (routed)", "yes"]
    assert resources[2][-1] == "no: dsp"
    assert both[1:] == ["Lattice ECP5-85F", "21,000", "22,000", "31,000", "32,500", "70", "70", "4.5", "5"]


def test_the_terminal_shows_numbers_of_the_report_with_units_in_the_head(made):
    head, units, line, note = (made / "benchmark.txt").read_text().splitlines()
    _, device, clock, cycles, latency, *_, per = rows_of((made / "report.md").read_text())[1]
    assert line.split()[:6] == ["lstm-k4-small", device, clock.split()[0], "r", cycles, latency.split()[0]]
    assert (units.split(), line.split()[-1]) == (["MHz", "a", "frame", "us", "uJ", "%"], per.split()[0])
    assert units.index("us") + 2 == head.index("latency") + len("latency")
    assert note.startswith("Latency: of a frame alone. Clock: r routed. Energy of a frame: e estimate.")


def loaded() -> results_of.Results:
    """What the folder's stages have left."""
    params = Parameters.model_validate(yaml.safe_load(Path("params.yaml").read_text()))
    settings = results_of.Settings(**{each.name: getattr(params, each.name) for each in fields(results_of.Settings)})
    return results_of.load(settings, results_of.Folders(*map(Path, ("metrics", "curves", "scores", "benchmarks"))))


def test_figures_of_the_benchmark_show_its_numbers(made):
    from ernn.report import benchmark_figures
    from ernn.report.published import published

    with contextlib.chdir(made.parent):
        built = loaded().accelerators
    drawn = benchmark_figures.figures(built, published())
    (row, *_), (result,) = built[0].table, built
    names = ("lut", "ff", "dsp", "bram")
    shares = [getattr(row.percent, name) for name in names]
    costs = [row.speed.latency_us, row.energy.uj_per_frame, max(shares)]
    points = [axes.containers[0].lines[0] for axes in drawn["front"].axes]
    assert [list(point.get_xydata()[0]) for point in points] == [
        [cost, result.integer.metrics["per_integer"]] for cost in costs
    ]
    hollow = [point.get_markerfacecolor() == "white" for point in points]
    assert (row.clock_kind, row.energy.kind, hollow) == ("place_and_route", "estimate", [False, True, False])
    bars = [axes.containers[0].patches[0].get_width() for axes in drawn["resources"].axes]
    assert bars == shares
    ours, theirs = ([text.get_text() for text in axes.get_yticklabels()] for axes in drawn["energy"].axes)
    assert ours == [f"{result.name}, ecp5-85f: estimate"]
    known = [each for each in published() if each.energy_uj_per_frame]
    assert sorted(theirs) == sorted(f"{each.name}, {each.platform} ({each.confidence})" for each in known)


def test_figures_show_the_numbers_of_the_table(made):
    from ernn.report import figures, training_figures

    with contextlib.chdir(made.parent):
        found = loaded().networks
    axes = figures.per_over_block_size(found).axes[0]
    drawn = [round(float(y), 6) for series in axes.containers for y in series.lines[0].get_ydata()]
    assert sorted(drawn) == sorted(round(each.metrics["per"], 6) for each in found)
    assert {each.get_label() for each in axes.containers} >= {"LSTM, ADMM (E-RNN)", "GRU, dense", "LSTM, pruned (ESE)"}
    left, right = training_figures.training_curves(found).axes
    assert len(left.lines) == len(found)
    assert {line.get_label() for line in right.lines} == {"lstm-k2", "lstm-k4", "gru-mixed"}


def test_words_name_best_design_and_unconverged_admm(made):
    text = (made / "report.md").read_text()
    assert "Least is lost by **lstm-k2**" in text
    assert "**Above it ended: lstm-k2 (0.040), lstm-k4 (0.040), gru-mixed (0.040).**" in text
    assert re.search(r"lstm at block size 4: ADMM \(E-RNN\) [\d.]+ %, direct \(C-LSTM\) [\d.]+ %", text)


def test_the_same_results_give_the_same_bytes(made):
    before = {each.name: each.read_bytes() for each in made.iterdir()}
    with contextlib.chdir(made.parent):
        main(report, FLAGS)
    assert {each.name: each.read_bytes() for each in made.iterdir()} == before


FOLDERS = ["metrics", "curves", "scores", "benchmarks", "models", "programs", "hardware"]


@pytest.mark.parametrize("count", range(1, 5))
@pytest.mark.filterwarnings("error")
def test_sections_may_be_empty(finished, count):
    """The last stage needs what the first ones left alone."""
    values = yaml.safe_load(Path("params.yaml").read_text())
    values["networks"].pop("gru")
    values["designs"] = {name: values["designs"][name] for name in ("lstm-k2", "lstm-k4")}
    values |= {section: {} for section in ENTRIES[4 - count :]}
    Path("params.yaml").write_text(yaml.safe_dump(values))
    for folder in FOLDERS if count == 4 else ["benchmarks"]:
        shutil.rmtree(folder)
        Path(folder).mkdir()
    main(report, FLAGS)
    text = Path("report/report.md").read_text()
    assert ("## As integer networks" in text) == (count < 2)
    assert ("Least is lost by" in text) == (count < 3)
    assert ("| lstm | 2 x 8 LSTM cells |" in text) == (count < 4)
    shown = set(re.findall(r"!\[[^]]+\]\(([^)]+)\)", text))
    assert shown == {each.name for each in Path("report").glob("*.png")}
    assert Path("report/benchmark.txt").read_text() == ""


@pytest.mark.parametrize(
    ("file", "content", "line"),
    [
        (
            "metrics/compress/lstm-k4.json",
            None,
            "no such file; name another, or make it (in the pipeline: `dvc repro`)",
        ),
        ("curves/compress/lstm-k4.csv", "epoch,phase\none,admm\n", "not a training curve"),
        ("scores/lstm-k4.json", "{}", "not a score"),
        (
            "benchmarks/lstm-k4-small.json",
            '{"rows": []}',
            "file without a version, this ernn reads version 1",
        ),
        (
            "metrics/quantize/lstm-k4-12.json",
            None,
            "no such file; name another, or make it (in the pipeline: `dvc repro`)",
        ),
    ],
)
def test_missing_and_damaged_results_are_named(finished, capsys, file, content, line):
    (finished / file).unlink()
    if content is not None:
        (finished / file).write_text(content)
    with pytest.raises(SystemExit, match="2"):
        main(report, FLAGS)
    assert re.match(rf"report: {file}: .*{re.escape(line)}", capsys.readouterr().err)


def test_scores_of_other_utterances_are_not_compared(finished, capsys):
    file = finished / "scores/dense/lstm.json"
    score = artifacts.read_json(file)
    artifacts.write_json(file, score | {"utterances": score["utterances"][::-1]})
    with pytest.raises(SystemExit, match="2"):
        main(report, FLAGS)
    assert capsys.readouterr().err.strip() == (
        "report: scores/dense/lstm.json: a score of other utterances than scores/lstm-k2.json; "
        "run the stages again (`dvc repro`)"
    )

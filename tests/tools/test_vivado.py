"""The flow around Vivado through a program of its name that writes reports; the script through an interpreter."""

import stat
from pathlib import Path

import pytest

from ernn.devices.catalogue import DEVICES
from ernn.errors import UserError
from ernn.hw.project import rtl_project
from ernn.synthesize.vendor import available, implement
from ernn.tools import vivado
from ernn.tools.vivado import Power, Timing, Utilization
from tests import programs
from tests.hw import designs
from tests.tools import vivado_reports as samples
from tests.tools.vivado_reports import PART, REPORTS

READERS = [vivado.utilization, vivado.timing, vivado.power]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An accelerator's sources."""
    return rtl_project(designs.network(programs.build())).write(tmp_path_factory.mktemp("vivado") / "project")


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `vivado` on PATH that refuses arguments that the tool would refuse and writes the reports in its folder."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, text in REPORTS.items():
        (folder / name).write_text(text)
    script = folder / "vivado"
    script.write_text(
        "#!/bin/sh\n"
        '[ "$1 $2 $3 $4 $5" = "-mode batch -nojournal -nolog -source" ] || exit 9\n'
        '[ -f "$6" ] && [ "$7" = -tclargs ] || exit 9\n'
        '[ -z "$9" ] || [ -f "$9" ] || exit 8\n'
        'echo "part=$8 saif=$9"\n'
        'if [ "$8" = xcfail ]; then echo "ERROR: [Coretcl 2-106] Specified part could not be found."; exit 1; fi\n'
        f"cp '{folder}'/*.rpt .\n"
    )
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    monkeypatch.delenv("ERNN_VIVADO", raising=False)
    return folder


def written(folder: Path, name: str, text: str) -> Path:
    """A folder with one report."""
    (folder / name).write_text(text)
    return folder


def test_a_run_gives_what_the_reports_say(fake, project, tmp_path):
    saif = tmp_path / "activity.saif"
    saif.write_text("(SAIFILE)\n")
    found = implement(project, DEVICES["xczu9eg"], tmp_path / "work", saif)
    assert (found.resources.lut, found.resources.ff, found.resources.dsp, found.resources.bram) == (
        24105,
        31552,
        301,
        46.5,
    )
    assert found.fmax_mhz == pytest.approx(1000 / (5 - 0.412))
    assert (found.timing_met, found.fmax_kind, found.power_kind) == (True, "place_and_route", "vendor")
    assert found.timing == "timing is met at 200 MHz with 0.412 ns to spare"
    assert (found.power_w, found.static_w, found.confidence, found.activity) == (
        1.482,
        0.621,
        "Medium",
        "activity.saif",
    )
    assert f"part={PART} saif={saif}" in (tmp_path / "work/vivado.log").read_text()


def test_all_parts_of_the_reports_are_read(tmp_path):
    for name, text in REPORTS.items():
        (tmp_path / name).write_text(text)
    assert vivado.utilization(tmp_path, PART) == Utilization(24105, 31552, 301, 46.5, 32, 29)
    assert vivado.timing(tmp_path, PART) == Timing(5.0, 0.412, 0.0, 0, 71021, 0.021, 1.958)
    assert vivado.power(tmp_path, PART) == Power(1.482, 0.861, 0.621, "Medium", "activity.saif", "71%  (41/58)")


def test_rows_of_7_series_have_other_names(tmp_path):
    folder = written(tmp_path, "utilization.rpt", samples.SERIES_7)
    assert vivado.utilization(folder, "xc7z020clg400-1") == Utilization(17020, 20991, 116, 23, 4, 38)


def test_negative_slack_is_said(fake, project, tmp_path):
    (fake / "timing.rpt").write_text(samples.TIMING.replace(samples.MET, samples.LATE))
    found = implement(project, DEVICES["xczu9eg"], tmp_path / "work")
    assert not found.timing_met
    assert found.fmax_mhz == pytest.approx(1000 / 5.25)
    assert found.timing == (
        "timing is not met at 200 MHz: setup -0.25 ns, hold 0.021 ns, pulse width 1.958 ns, "
        "57 of 71021 endpoints too late"
    )


@pytest.mark.parametrize("slack", ["whs_ns", "wpws_ns"])
def test_timing_is_not_met_by_setup_alone(slack):
    times = {"period_ns": 5.0, "wns_ns": 0.4, "tns_ns": 0.0, "failing_endpoints": 0, "endpoints": 9}
    assert Timing(**times, **{"whs_ns": 0.0, "wpws_ns": 0.0}).met
    assert not Timing(**times, **{"whs_ns": 0.0, "wpws_ns": 0.0, slack: -0.001}).met


def test_power_without_a_simulation_is_told_apart(tmp_path):
    text = samples.POWER.replace("activity.saif", "---").replace("71%  (41/58)", "NA").replace("Medium", "Low")
    found = vivado.power(written(tmp_path, "power.rpt", text.replace("| 0.861 ", "| <0.001 ")), PART)
    assert (found.confidence, found.activity, found.nets_matched, found.dynamic_w) == ("Low", None, None, 0.0)


def test_a_failed_run_names_the_log_and_leaves_no_old_reports(fake, project, tmp_path):
    vivado.implement(project, PART, tmp_path / "work")
    with pytest.raises(UserError, match=r"vivado ended with exit code 1: .*Coretcl 2-106.*vivado\.log"):
        vivado.implement(project, "xcfail", tmp_path / "work")
    with pytest.raises(UserError, match=r"timing\.rpt is missing: the run did not end"):
        vivado.timing(tmp_path / "work", PART)


def test_a_missing_tool_is_named_with_its_cure(project, tmp_path, monkeypatch):
    monkeypatch.setenv("ERNN_VIVADO", str(tmp_path / "none"))
    assert not available(DEVICES["xczu9eg"])
    with pytest.raises(UserError, match=r"ERNN_VIVADO=.* is no executable: install Vivado 2022\.2 or later"):
        vivado.implement(project, PART, tmp_path / "work")
    assert not (tmp_path / "work").exists()


def test_the_tool_is_for_its_own_devices(fake):
    assert [name for name, device in DEVICES.items() if available(device)] == [
        name for name, device in DEVICES.items() if device.part.startswith("xc")
    ]


def test_a_project_without_the_script_is_named(fake, tmp_path):
    with pytest.raises(UserError, match=r"run\.tcl is missing: generate the project again"):
        vivado.implement(tmp_path, PART, tmp_path / "work")


@pytest.mark.parametrize("read", READERS)
def test_a_missing_report_is_named(read, tmp_path):
    with pytest.raises(UserError, match=r"\w+\.rpt is missing: the run did not end"):
        read(tmp_path, PART)


@pytest.mark.parametrize(("read", "name"), list(zip(READERS, REPORTS, strict=True)))
@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("v.2022.2", "v.2021.1", r"is of Vivado 2021\.1: 2022\.2 or later is known to write what is read here"),
        ("Vivado v.2022.2", "Libero 2022", r"is no such report of Vivado: it has no header of Vivado"),
        (": ernn\n", ": other\n", rf"is of other on xczu9eg-\S+, not of ernn on {PART}"),
        ("xczu9eg", "xczu7ev", rf"is of ernn on xczu7ev-\S+, not of ernn on {PART}"),
    ],
)
def test_foreign_reports_are_refused(read, name, before, after, message, tmp_path):
    text = REPORTS[name]
    assert before in text
    with pytest.raises(UserError, match=message):
        read(written(tmp_path, name, text.replace(before, after)), PART)


def test_a_later_version_is_read(tmp_path):
    for name, text in REPORTS.items():
        written(tmp_path, name, text.replace("v.2022.2", "v.2024.1"))
    assert [read(tmp_path, PART) is not None for read in READERS] == [True] * 3


@pytest.mark.parametrize(
    ("name", "before", "after", "message"),
    [
        ("utilization.rpt", "| CLB LUTs ", "| LUTs     ", "it has no row Slice LUTs"),
        ("utilization.rpt", "|  301 |", "| many |", "DSPs is a number, got 'many'"),
        ("timing.rpt", "| Design Timing Summary", "| Summary", "it has no timing summary"),
        ("timing.rpt", "| Clock Summary", "| Clocks", "it has no clock"),
        ("timing.rpt", samples.MET, "NA NA 0 0 NA NA 0 0 NA NA 0 0", r"no path is timed.*see constraints/ernn\.xdc"),
        ("timing.rpt", "{0.000 2.500}        5.000  ", "{0.000 2.500}  ?  ", "has no period of a clock"),
        ("power.rpt", "| Confidence Level  ", "| Level  ", "it has no row Confidence Level"),
        ("power.rpt", "| 1.482  ", "|   ", r"Total On-Chip Power \(W\) is a number, got ''"),
    ],
)
def test_malformed_reports_are_refused(name, before, after, message, tmp_path):
    assert before in REPORTS[name]
    folder = written(tmp_path, name, REPORTS[name].replace(before, after, 1))
    with pytest.raises(UserError, match=message):
        dict(zip(REPORTS, READERS, strict=True))[name](folder, PART)


COMMANDS = [
    "read_verilog",
    "read_xdc",
    "synth_design",
    "write_checkpoint",
    "report_utilization",
    "opt_design",
    "place_design",
    "phys_opt_design",
    "route_design",
    "report_timing_summary",
    "read_saif",
    "report_power",
]


def scripted(project: Path, folder: Path, arguments: list[str]) -> list[str]:
    """The tool's commands that run.tcl calls in a folder."""
    tcl = pytest.importorskip("tkinter").Tcl()
    for command in COMMANDS:
        tcl.eval(f"proc {command} args {{ lappend ::called [concat {command} $args] }}")
    tcl.call("set", "argv", tuple(arguments))
    tcl.call("set", "argc", len(arguments))
    before = Path.cwd()
    try:
        tcl.call("cd", str(folder))
        tcl.call("source", str(project / "vivado" / "run.tcl"))
    finally:
        tcl.call("cd", str(before))
    return [" ".join(tcl.splitlist(call)) for call in tcl.splitlist(tcl.eval("set ::called"))]


def test_the_script_reads_everything_and_reports_after_routing(project, tmp_path):
    (tmp_path / "a.saif").write_text("(SAIFILE)\n")
    calls = scripted(project, tmp_path, [PART, "a.saif"])
    sources = calls[0].removeprefix("read_verilog ").split()
    assert [Path(each).resolve() for each in sources] == sorted((project / "rtl").glob("*.v"))
    assert {each.name for each in tmp_path.glob("*.hex")} == {each.name for each in (project / "memory").glob("*.hex")}
    assert calls[1].startswith("read_xdc -mode out_of_context /")
    assert Path(calls[1].split()[-1]).resolve() == project / "constraints/ernn.xdc"
    assert calls[2] == f"synth_design -top ernn -part {PART} -mode out_of_context"
    after = calls[calls.index("route_design") + 1 :]
    assert after == [
        "write_checkpoint -force routed.dcp",
        "report_utilization -file utilization.rpt",
        "report_timing_summary -file timing.rpt",
        "read_saif -strip_path ernn_tb/dut -out_file saif_unmatched.txt a.saif",
        "report_power -file power.rpt",
    ]
    assert not any(each.startswith("read_saif") for each in scripted(project, tmp_path, [PART]))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [([], "usage: run.tcl PART"), ([PART, "none.saif"], "none.saif does not exist"), (["a", "b", "c"], "usage")],
)
def test_the_script_refuses_other_arguments(arguments, message, project, tmp_path):
    tkinter = pytest.importorskip("tkinter")
    with pytest.raises(tkinter.TclError, match=message):
        scripted(project, tmp_path, arguments)

"""Vitis HLS by a fake executable that writes reports as the tool does."""

import stat
from pathlib import Path

import pytest

from ernn.errors import UserError
from ernn.tools import vitis
from ernn.tools.vitis import Cosimulation, Synthesis

CSYNTH = """<?xml version="1.0" encoding="UTF-8"?>
<profile>
<ReportVersion><Version>2022.2</Version></ReportVersion>
<UserAssignments>
<unit>ns</unit>
<ProductFamily>zynquplus</ProductFamily>
<Part>xczu7ev-ffvc1156-2-e</Part>
<TopModelName>ernn</TopModelName>
<TargetClockPeriod>5.00</TargetClockPeriod>
<ClockUncertainty>1.35</ClockUncertainty>
<FlowTarget>vivado</FlowTarget>
</UserAssignments>
<PerformanceEstimates>
<PipelineType>no</PipelineType>
<SummaryOfTimingAnalysis>
<unit>ns</unit>
<EstimatedClockPeriod>3.650</EstimatedClockPeriod>
</SummaryOfTimingAnalysis>
<SummaryOfOverallLatency>
<unit>clock cycles</unit>
<Best-caseLatency>26415</Best-caseLatency>
<Average-caseLatency>26417</Average-caseLatency>
<Worst-caseLatency>26420</Worst-caseLatency>
<Best-caseRealTimeLatency>0.132 ms</Best-caseRealTimeLatency>
<Average-caseRealTimeLatency>0.132 ms</Average-caseRealTimeLatency>
<Worst-caseRealTimeLatency>0.132 ms</Worst-caseRealTimeLatency>
<Interval-min>26416</Interval-min>
<Interval-max>26421</Interval-max>
</SummaryOfOverallLatency>
</PerformanceEstimates>
<AreaEstimates>
<Resources>
<BRAM_18K>112</BRAM_18K>
<DSP>87</DSP>
<FF>20114</FF>
<LUT>31902</LUT>
<URAM>0</URAM>
</Resources>
<AvailableResources>
<BRAM_18K>624</BRAM_18K>
<DSP>1728</DSP>
<FF>460800</FF>
<LUT>230400</LUT>
<URAM>96</URAM>
</AvailableResources>
</AreaEstimates>
</profile>
"""
EMPTY = f"+{'-' * 10}+{'-' * 10}+{'-' * 47}+{'-' * 47}+{'-' * 22}+"
COSIM = f"""Report time       : Tue 17 Jan 2023 03:44:55 PM CET.
Solution          : solution1.
Simulation tool   : xsim.

{EMPTY}
|          |          |             Latency(Clock Cycles)             |              Interval(Clock Cycles)           | Total Execution Time |
+   RTL    +  Status  +{"-" * 47}+{"-" * 47}+    (Clock Cycles)    +
|          |          |      min      |      avg      |      max      |      min      |      avg      |      max      |                      |
{EMPTY}
|      VHDL|        NA|             NA|             NA|             NA|             NA|             NA|             NA|                    NA|
|   Verilog|      Pass|          26415|          26416|          26420|             NA|             NA|             NA|                 26415|
{EMPTY}
"""  # noqa: E501
FILES = {"run.tcl": "exit\n", "src/ernn.cpp": "\n"}
REPORTS = {"syn/report/ernn_csynth.xml": CSYNTH, "sim/report/ernn_cosim.rpt": COSIM}


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `vitis_hls` on PATH that writes both reports and what it was asked for; its folder."""
    folder = tmp_path / "bin"
    lines = ["#!/bin/sh", 'echo "vitis_hls $* steps=$ERNN_HLS_STEPS"', '[ "$ERNN_HLS_STEPS" = export ] && exit 1']
    for path, text in REPORTS.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
        place = f"ernn_hls/solution1/{path}"
        lines.append(f"mkdir -p {Path(place).parent} && cp '{folder / path}' {place}")
    script = folder / "vitis_hls"
    script.write_text("\n".join([*lines, ""]))
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    monkeypatch.delenv("ERNN_VITIS_HLS", raising=False)
    return folder


def test_a_run_leaves_files_log_and_reports(fake, tmp_path):
    work = tmp_path / "work"
    vitis.build(FILES, work, ["csynth", "cosim"])
    assert (work / "src/ernn.cpp").read_text() == "\n"
    assert "vitis_hls -f run.tcl steps=csynth cosim" in (work / "vitis_hls.log").read_text()
    assert vitis.synthesis(work) == Synthesis(
        version="2022.2",
        part="xczu7ev-ffvc1156-2-e",
        clock_target_ns=5.0,
        clock_estimate_ns=3.65,
        latency_best_estimate_cycles=26415,
        latency_average_estimate_cycles=26417,
        latency_worst_estimate_cycles=26420,
        interval_min_estimate_cycles=26416,
        interval_max_estimate_cycles=26421,
        lut_estimate=31902,
        ff_estimate=20114,
        dsp_estimate=87,
        bram_18k_estimate=112,
        uram_estimate=0,
    )
    assert vitis.cosimulation(work) == Cosimulation(26415, 26416, 26420, None, None, None, 26415)


def test_a_failed_run_names_the_log(fake, tmp_path):
    with pytest.raises(UserError, match=r"vitis_hls ended with exit code 1: .*vitis_hls\.log"):
        vitis.build(FILES, tmp_path / "work", ["export"])


def test_a_missing_tool_is_named_with_its_cure(tmp_path, monkeypatch):
    monkeypatch.setenv("ERNN_VITIS_HLS", str(tmp_path / "none"))
    with pytest.raises(UserError, match=r"ERNN_VITIS_HLS=.* is no executable: install Vitis HLS 2022\.2 or later"):
        vitis.build(FILES, tmp_path / "work")
    assert not (tmp_path / "work").exists()


@pytest.mark.parametrize("read", [vitis.synthesis, vitis.cosimulation])
def test_a_missing_report_is_named(read, tmp_path):
    with pytest.raises(UserError, match=r"ernn_co?s\w+\.\w+ is missing: the step co?s\w+ did not run or did not end"):
        read(tmp_path)


def report(folder: Path, path: str, text: str) -> Path:
    """A work folder with one report."""
    place = folder / "ernn_hls" / "solution1" / path
    place.parent.mkdir(parents=True)
    place.write_text(text)
    return folder


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("</profile>\n", "", "is no report of C synthesis: no element found"),
        ("<LUT>31902</LUT>", "", "is no report of C synthesis: AreaEstimates/Resources/LUT is missing"),
        ("<DSP>87</DSP>", "<DSP>many</DSP>", "AreaEstimates/Resources/DSP is a number, got 'many'"),
    ],
)
def test_a_malformed_synthesis_report_is_refused(before, after, message, tmp_path):
    folder = report(tmp_path, "syn/report/ernn_csynth.xml", CSYNTH.replace(before, after, 1))
    with pytest.raises(UserError, match=message):
        vitis.synthesis(folder)


def test_latency_without_a_bound_is_none(tmp_path):
    text = CSYNTH.replace(">26420<", ">undef<").replace(">26421<", ">undef<")
    found = vitis.synthesis(report(tmp_path, "syn/report/ernn_csynth.xml", text))
    assert (found.latency_worst_estimate_cycles, found.interval_max_estimate_cycles) == (None, None)
    assert found.latency_best_estimate_cycles == 26415


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("Pass", "Fail", "the RTL's simulation ended with Fail, not Pass"),
        ("|   Verilog|", "|   SystemC|", "it has no line of the Verilog's latency and interval"),
        ("|          26415|", "|             NA|", "it has no line of the Verilog's latency and interval"),
    ],
)
def test_a_simulation_report_without_its_line_is_refused(before, after, message, tmp_path):
    folder = report(tmp_path, "sim/report/ernn_cosim.rpt", COSIM.replace(before, after, 1))
    with pytest.raises(UserError, match=message):
        vitis.cosimulation(folder)


def test_intervals_stand_in_reports_of_two_frames(tmp_path):
    text = COSIM.replace(
        "|             NA|             NA|             NA|                 26415|", "| 7| 8| 9| 52837|"
    )
    found = vitis.cosimulation(report(tmp_path, "sim/report/ernn_cosim.rpt", text))
    assert (found.interval_min_cycles, found.interval_average_cycles, found.interval_max_cycles) == (7, 8, 9)
    assert found.total_cycles == 52837

"""Reports as Vivado 2022.2 lays them out, shortened, with numbers of our own."""

PART = "xczu9eg-ffvb1156-2-e"
_VERSION = "Vivado v.2022.2 (lin64) Build 3671981 Fri Oct 14 04:59:54 MDT 2022"
_LINE = "-" * 96


def header(command: str, state: str, device: str = PART, colon: int = 13) -> str:
    """The box at the head of a report; names are padded to another width in each kind."""
    rows = {
        "Tool Version": _VERSION,
        "Date": "Tue Jan 17 03:44:55 2023",
        "Command": command,
        "Design": "ernn",
        "Device": device,
        "Design State": state,
    }
    lines = [f"| {name:<{colon}}: {value}" for name, value in rows.items()]
    return "\n".join(["Copyright 1986-2022 Xilinx, Inc. All Rights Reserved.", _LINE, *lines, _LINE, "", ""])


ULTRASCALE = (
    header("report_utilization -file utilization.rpt", "Routed")
    + """\
Utilization Design Information

Table of Contents
-----------------
1. CLB Logic
2. CLB Logic Distribution
3. BLOCKRAM
4. ARITHMETIC

1. CLB Logic
------------

+----------------------------+-------+-------+------------+-----------+-------+
|          Site Type         |  Used | Fixed | Prohibited | Available | Util% |
+----------------------------+-------+-------+------------+-----------+-------+
| CLB LUTs                   | 24105 |     0 |          0 |    274080 |  8.79 |
|   LUT as Logic             | 23377 |     0 |          0 |    274080 |  8.53 |
|   LUT as Memory            |   728 |     0 |          0 |    144000 |  0.51 |
|     LUT as Distributed RAM |   416 |     0 |            |           |       |
|     LUT as Shift Register  |   312 |     0 |            |           |       |
| CLB Registers              | 31552 |     0 |          0 |    548160 |  5.76 |
|   Register as Flip Flop    | 31552 |     0 |          0 |    548160 |  5.76 |
| CARRY8                     |  2101 |     0 |          0 |     34260 |  6.13 |
+----------------------------+-------+-------+------------+-----------+-------+


2. CLB Logic Distribution
-------------------------

+--------------------------------------------+-------+-------+------------+-----------+-------+
|                  Site Type                 |  Used | Fixed | Prohibited | Available | Util% |
+--------------------------------------------+-------+-------+------------+-----------+-------+
| CLB                                        |  4991 |     0 |          0 |     34260 | 14.57 |
| LUT as Logic                               | 23377 |     0 |          0 |    274080 |  8.53 |
| CLB Registers                              | 31552 |     0 |          0 |    548160 |  5.76 |
+--------------------------------------------+-------+-------+------------+-----------+-------+


3. BLOCKRAM
-----------

+-------------------+------+-------+------------+-----------+-------+
|     Site Type     | Used | Fixed | Prohibited | Available | Util% |
+-------------------+------+-------+------------+-----------+-------+
| Block RAM Tile    | 46.5 |     0 |          0 |       912 |  5.10 |
|   RAMB36/FIFO*    |   32 |     0 |          0 |       912 |  3.51 |
|     RAMB36E2 only |   32 |       |            |           |       |
|   RAMB18          |   29 |     0 |          0 |      1824 |  1.59 |
|     RAMB18E2 only |   29 |       |            |           |       |
+-------------------+------+-------+------------+-----------+-------+
* Note: Each Block RAM Tile only has one FIFO logic available.


4. ARITHMETIC
-------------

+----------------+------+-------+------------+-----------+-------+
|    Site Type   | Used | Fixed | Prohibited | Available | Util% |
+----------------+------+-------+------------+-----------+-------+
| DSPs           |  301 |     0 |          0 |      2520 | 11.94 |
|   DSP48E2 only |  301 |       |            |           |       |
+----------------+------+-------+------------+-----------+-------+
"""
)

SERIES_7 = (
    header("report_utilization -file utilization.rpt", "Fully Placed", "xc7z020clg400-1")
    + """\
1. Slice Logic
--------------

+----------------------------+-------+-------+------------+-----------+-------+
|          Site Type         |  Used | Fixed | Prohibited | Available | Util% |
+----------------------------+-------+-------+------------+-----------+-------+
| Slice LUTs*                | 17020 |     0 |          0 |     53200 | 31.99 |
|   LUT as Logic             | 16580 |     0 |          0 |     53200 | 31.17 |
| Slice Registers            | 20991 |     0 |          0 |    106400 | 19.73 |
| F7 Muxes                   |   238 |     0 |          0 |     26600 |  0.89 |
+----------------------------+-------+-------+------------+-----------+-------+


3. Memory
---------

+-------------------+------+-------+------------+-----------+-------+
|     Site Type     | Used | Fixed | Prohibited | Available | Util% |
+-------------------+------+-------+------------+-----------+-------+
| Block RAM Tile    |   23 |     0 |          0 |       140 | 16.43 |
|   RAMB36/FIFO*    |    4 |     0 |          0 |       140 |  2.86 |
|     RAMB36E1 only |    4 |       |            |           |       |
|   RAMB18          |   38 |     0 |          0 |       280 | 13.57 |
+-------------------+------+-------+------------+-----------+-------+


4. DSP
------

+----------------+------+-------+------------+-----------+-------+
|    Site Type   | Used | Fixed | Prohibited | Available | Util% |
+----------------+------+-------+------------+-----------+-------+
| DSPs           |  116 |     0 |          0 |       220 | 52.73 |
|   DSP48E1 only |  116 |       |            |           |       |
+----------------+------+-------+------------+-----------+-------+
"""
)

_COLUMNS = (
    "WNS(ns)      TNS(ns)  TNS Failing Endpoints  TNS Total Endpoints      WHS(ns)      THS(ns)  "
    "THS Failing Endpoints  THS Total Endpoints     WPWS(ns)     TPWS(ns)  TPWS Failing Endpoints  TPWS Total Endpoints"
)
_RULES = (
    "-------      -------  ---------------------  -------------------      -------      -------  "
    "---------------------  -------------------     --------     --------  ----------------------  --------------------"
)
MET = (
    "  0.412        0.000                      0                71021        0.021        0.000                      "
    "0                71021        1.958        0.000                       0                 33410  "
)
LATE = (
    " -0.250       -3.146                     57                71021        0.021        0.000                      "
    "0                71021        1.958        0.000                       0                 33410  "
)
TIMING = (
    header("report_timing_summary -file timing.rpt", "Routed", "xczu9eg-ffvb1156", 18)
    + f"""\
Timing Summary Report

{_LINE}
| Timer Settings
| --------------
{_LINE}

  Enable Multi Corner Analysis               :  Yes

  Corner  Analyze    Analyze
  Name    Max Paths  Min Paths
  ------  ---------  ---------
  Slow    Yes        Yes
  Fast    Yes        Yes


check_timing report

1. checking no_clock (0)
------------------------
 There are 0 register/latch pins with no clock.


{_LINE}
| Design Timing Summary
| ---------------------
{_LINE}

    {_COLUMNS}
    {_RULES}
    {MET}


All user specified timing constraints are met.


{_LINE}
| Clock Summary
| -------------
{_LINE}

Clock  Waveform(ns)         Period(ns)      Frequency(MHz)
-----  ------------         ----------      --------------
aclk   {{0.000 2.500}}        5.000           200.000


{_LINE}
| Intra Clock Table
| -----------------
{_LINE}

Clock             {_COLUMNS}
-----             {_RULES}
aclk              {MET}
"""
)

POWER = (
    header("report_power -file power.rpt", "routed", PART, 17)
    + """\
Power Report

Table of Contents
-----------------
1. Summary
1.1 On-Chip Components

1. Summary
----------

+--------------------------+---------------+
| Total On-Chip Power (W)  | 1.482         |
| Design Power Budget (W)  | Unspecified*  |
| Power Budget Margin (W)  | NA            |
| Dynamic (W)              | 0.861         |
| Device Static (W)        | 0.621         |
| Effective TJA (C/W)      | 1.0           |
| Max Ambient (C)          | 98.5          |
| Junction Temperature (C) | 26.5          |
| Confidence Level         | Medium        |
| Setting File             | ---           |
| Simulation Activity File | activity.saif |
| Design Nets Matched      | 71%  (41/58)  |
+--------------------------+---------------+
* Specify Design Power Budget using, set_operating_conditions -design_power_budget <value in Watts>


1.1 On-Chip Components
----------------------

+--------------------------+-----------+----------+-----------+-----------------+
| On-Chip                  | Power (W) | Used     | Available | Utilization (%) |
+--------------------------+-----------+----------+-----------+-----------------+
| Clocks                   |     0.105 |        3 |       --- |             --- |
| CLB Logic                |     0.312 |    62473 |       --- |             --- |
| Static Power             |     0.621 |          |           |                 |
| Total                    |     1.482 |          |           |                 |
+--------------------------+-----------+----------+-----------+-----------------+
"""
)
REPORTS = {"utilization.rpt": ULTRASCALE, "timing.rpt": TIMING, "power.rpt": POWER}

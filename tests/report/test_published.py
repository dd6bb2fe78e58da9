"""Published figures: whole, consistent with themselves, and refused when they are not."""

import pytest

from ernn.errors import UserError
from ernn.report import published

ROWS = published.published()
HEAD = ",".join(published.Published.model_fields)


def test_every_system_of_the_comparison_is_there_with_its_source():
    assert {each.system for each in ROWS} == {"ESE", "C-LSTM", "E-RNN", "CSB-RNN", "Spartus"}
    assert len({(each.name, each.platform) for each in ROWS}) == len(ROWS)


@pytest.mark.parametrize("row", [each for each in ROWS if each.frames_per_s_per_w], ids=lambda each: each.name)
def test_efficiency_is_speed_over_power(row):
    """Within the rounding of a printed power."""
    assert row.frames_per_s / (row.power_w + 0.5) <= row.frames_per_s_per_w * 1.001
    assert row.frames_per_s_per_w <= 1.001 * row.frames_per_s / (row.power_w - 0.5)


@pytest.mark.parametrize("row", [each for each in ROWS if each.latency_us and each.frames_per_s], ids=lambda e: e.name)
def test_frames_do_not_come_faster_than_interleaved_streams_allow(row):
    """Within a tenth: latencies that another paper quotes are not always those of the run with these frames."""
    assert 1.1 * 1e6 * row.streams / row.latency_us >= row.frames_per_s


def test_energy_needs_a_power_and_a_speed():
    by_name = {(each.system, each.variant, each.platform): each for each in ROWS}
    assert by_name["ESE", "pruned 10x", "XCKU060"].energy_uj_per_frame == pytest.approx(41 / 17544 * 1e6)
    assert by_name["CSB-RNN", "GRU 20x", "XCZU9EG"].energy_uj_per_frame == pytest.approx(8.9 * 5.18)
    assert by_name["C-LSTM", "FFT8", "XCKU060"].energy_uj_per_frame is None
    assert by_name["Spartus", "DeltaLSTM", "XC7Z100"].energy_uj_per_frame is None


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ("X,v,d,c,,,12,,,,,,,,1,rumoured,s", "confidence: Input should be 'read', 'cross-checked' or 'recalled'"),
        ("X,v,d,c,,,12,,,,,-4,,,1,read,s", "power_w: Input should be greater than 0, got '-4'"),
        ("X,v,d,c,,,12,,,,,,,,1,read,", "source: Input should be a valid string, got None"),
    ],
)
def test_a_bad_row_is_one_line_with_its_number(values, complaint):
    with pytest.raises(UserError) as refused:
        published.parse(f"{HEAD}\n{values}\n")
    assert str(refused.value).startswith(f"published figures, line 2: {complaint}")

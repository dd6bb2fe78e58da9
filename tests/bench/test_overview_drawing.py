from bench import drawing, overview_drawing


def test_the_drawing_is_that_of_today():
    """Renewed by `python -m bench.overview_drawing`."""
    wanted = drawing.svg("From a recurrent network to an FPGA", overview_drawing.ROWS)
    assert overview_drawing.PICTURE.read_text() == wanted

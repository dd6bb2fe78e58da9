from bench import drawing, overview_drawing


def test_the_drawing_is_that_of_today():
    """Renewed by `python -m bench.overview_drawing`."""
    assert overview_drawing.PICTURE.read_text() == drawing.svg(overview_drawing.TITLE, overview_drawing.ROWS)

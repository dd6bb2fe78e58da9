from bench import pipeline_drawing


def test_the_drawing_has_the_cycles_of_todays_generator():
    """Renewed by `python -m bench.pipeline_drawing`."""
    layer = pipeline_drawing.network().layers[0]
    assert pipeline_drawing.PICTURE.read_text() == pipeline_drawing.svg(pipeline_drawing.rows(layer))

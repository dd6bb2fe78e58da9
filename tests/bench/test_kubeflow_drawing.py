from bench import kubeflow_drawing


def test_the_drawing_is_that_of_todays_pipeline():
    """Renewed by `python -m bench.kubeflow_drawing`."""
    spec = kubeflow_drawing.compiled()
    assert kubeflow_drawing.PICTURE.read_text() == kubeflow_drawing.svg(spec)
    found = kubeflow_drawing.stages(spec)
    assert sum(stage.tasks for stage in found) == len(kubeflow_drawing.declaration.load(kubeflow_drawing.ROOT).tasks)

"""dvc.yaml read as a graph of tasks, and what Kubeflow Pipelines makes of it."""

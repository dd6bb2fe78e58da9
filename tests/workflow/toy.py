"""A small declaration of every kind: single stages, foreach, a folder of several tasks' files, effects."""

import copy
from pathlib import Path

import yaml

DVC = {
    "stages": {
        "prepare": {
            "desc": "Features.",
            "cmd": "python -m components.prepare --dataset data --metrics metrics/prepare.json",
            "meta": {"image": "train", "cpu": 2, "memory": "4G", "artifacts": {"dataset": "Dataset"}},
            "deps": ["components/prepare.py", "ernn/data"],
            "params": ["corpus"],
            "outs": ["data"],
            "metrics": [{"metrics/prepare.json": {"cache": False}}],
        },
        "compress": {
            "foreach": "${designs}",
            "do": {
                "desc": "A model.",
                "cmd": "python -m components.compress --design ${key} --dataset data "
                "--model models/${item.network}-${key} --metrics metrics/compress/${key}.json",
                "meta": {
                    "image": "train",
                    "artifacts": {"model": "ernn.Program"},
                    "gpu": 1,
                    "workers": 2,
                    "node_selector": {"pool": "gpu"},
                    "tolerations": [{"key": "gpu", "operator": "Exists", "effect": "NoSchedule"}],
                },
                "deps": ["components/compress.py", "data"],
                "params": ["designs.${key}", "training.epochs"],
                "outs": ["models/${item.network}-${key}"],
                "metrics": [{"metrics/compress/${key}.json": {"cache": False}}],
            },
        },
        "report": {
            "desc": "All of them.",
            "cmd": "python -m components.report --metrics-folder metrics --report report",
            "meta": {
                "image": "report",
                "effects": True,
                "pages": {"report": "report.html"},
                "environment": {"MLFLOW_TRACKING_URI": "mlflow-uri"},
            },
            "deps": ["components/report.py", "metrics"],
            "params": ["designs", "training"],
            "outs": ["report"],
        },
    }
}
PARAMS = {
    "version": 1,
    "corpus": {"speakers": 3},
    "training": {"epochs": 2, "rate": 0.5},
    "designs": {"k2": {"network": "lstm", "block_size": 2}, "k4": {"network": "gru", "block_size": 4}},
}


def with_nodes(nodes: int) -> dict:
    """The declaration with `compress` over several nodes."""
    dvc = copy.deepcopy(DVC)
    dvc["stages"]["compress"]["do"]["meta"] |= {"nodes": nodes, "environment": {"TOKEN": "a-token"}}
    return dvc


def write(folder: Path, dvc: dict = DVC, params: dict = PARAMS) -> Path:
    """A folder with dvc.yaml and params.yaml."""
    (folder / "dvc.yaml").write_text(yaml.safe_dump(dvc, sort_keys=False))
    (folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    return folder

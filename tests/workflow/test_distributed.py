"""Tasks of several machines in the compiled pipeline."""

import json
from pathlib import Path

import pytest
import yaml
from google.protobuf import json_format
from kfp.pipeline_spec.pipeline_spec_pb2 import PipelineSpec

from components.job import _parser, _replica
from tests.workflow import toy
from workflow import compiler, declaration, distributed

ROOT = Path(__file__).parents[2]


def compiled(folder: Path, nodes: int, **target: bool) -> list[dict]:
    declared = declaration.load(toy.write(folder, toy.with_nodes(nodes)))
    images = compiler.images(declared, "ernn-", "0123")
    compiler.compile_to(declared, compiler.Target(images, **target), folder / "pipeline.yaml")
    return list(yaml.safe_load_all((folder / "pipeline.yaml").read_text()))


def container(documents: list[dict], stage: str) -> dict:
    return documents[0]["deploymentSpec"]["executors"][f"exec-{stage}"]["container"]


@pytest.fixture(scope="module")
def documents(tmp_path_factory):
    return compiled(tmp_path_factory.mktemp("distributed"), 3, gpu=True)


def test_the_task_waits_for_a_job_that_runs_the_stage(documents):
    wanted = container(documents, "compress")
    assert wanted["command"][:6] == ["python3", "-m", "components.attempts", "--retries", "2", "--"]
    assert wanted["command"][6:9] == ["python3", "-m", "components.job"]
    options = _parser().parse_args([*wanted["command"][9:], *wanted["args"]])
    assert (options.nodes, options.workers, options.timeout_minutes) == (3, 2, 240)
    assert options.stage == ["components.compress", *wanted["args"]]
    asked = _replica(options.replica)
    assert (asked.cpu, asked.memory, asked.gpu, asked.node_selector) == (1, "2G", 1, {"pool": "gpu"})
    assert asked.tolerations == ({"key": "gpu", "operator": "Exists", "effect": "NoSchedule"},)
    assert asked.environment == {"TOKEN": "a-token"}


def test_the_task_asks_for_little_and_mounts_the_volume(documents):
    wanted = container(documents, "compress")
    assert wanted["env"] == [
        {"name": "ERNN_SHARED", "value": "/shared"},
        {"name": "ERNN_CLAIM", "value": "ernn-shared"},
        {"name": "ERNN_IMAGE", "value": "ernn-train:0123"},
    ]
    assert wanted["resources"]["resourceCpuLimit"] == "500m"
    assert "accelerator" not in wanted["resources"]
    platform = documents[1]["platforms"]["kubernetes"]["deploymentSpec"]["executors"]["exec-compress"]
    assert [(each["mountPath"], each["constant"]) for each in platform["pvcMount"]] == [("/shared", "ernn-shared")]
    assert platform["fieldPathAsEnv"] == [
        {"name": "POD_NAME", "fieldPath": "metadata.name"},
        {"name": "POD_UID", "fieldPath": "metadata.uid"},
    ]
    assert "nodeSelector" not in platform
    assert int(platform["activeDeadlineSeconds"]) == 240 * 60 + distributed.SPARE_S


def test_the_pipeline_is_a_pipeline_spec(documents):
    spec = json_format.ParseDict(documents[0], PipelineSpec())
    assert "comp-compress" in spec.components


def test_gpus_are_for_pipelines_that_ask_for_them(tmp_path):
    (words,) = [container(compiled(tmp_path, 2), "compress")["command"]]
    assert json.loads(words[words.index("--replica") + 1])["gpu"] == 0


def test_a_machine_without_a_cluster_runs_it_in_one_container(tmp_path):
    words = container(compiled(tmp_path, 3, local=True), "compress")["command"]
    assert words[2] == "torch.distributed.run"
    assert words[-1] == "components.compress"


def test_the_claim_is_the_one_of_the_manifests():
    manifest = yaml.safe_load((ROOT / "deploy" / "base" / "shared.yaml").read_text())
    assert manifest["metadata"]["name"] == distributed.CLAIM
    assert manifest["spec"]["accessModes"] == ["ReadWriteMany"]

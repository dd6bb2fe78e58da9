"""The compiled pipeline: golden, deterministic, and what Kubeflow's own parser takes."""

import copy
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from google.protobuf import json_format
from kfp.pipeline_spec.pipeline_spec_pb2 import PipelineSpec

from ernn.errors import UserError
from tests.workflow import toy
from workflow import compiler, declaration

ROOT = Path(__file__).parents[2]
GOLDEN = Path(__file__).parent / "golden" / "pipeline.yaml"


def compiled(folder: Path, declared: declaration.Declaration, **target: bool) -> list[dict]:
    images = compiler.images(declared, "ernn-", "0123456789ab")
    compiler.compile_to(declared, compiler.Target(images, **target), folder / "pipeline.yaml")
    return list(yaml.safe_load_all((folder / "pipeline.yaml").read_text()))


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return declaration.load(toy.write(tmp_path_factory.mktemp("toy")))


@pytest.fixture(scope="module")
def documents(small, tmp_path_factory):
    return compiled(tmp_path_factory.mktemp("compiled"), small, gpu=True)


def test_the_pipeline_is_the_golden_one(documents):
    """Renew it with `python -m tests.workflow.test_compiler` and read the difference."""
    golden = list(yaml.safe_load_all(GOLDEN.read_text()))
    for document in (*documents, *golden):
        document.pop("sdkVersion", None)
    assert documents == golden


PREFIXES = ["", "ernn-", "ernn_", "a.b__c--d/", "docker.io/me/", "Host.Example:5000/x/y-", "localhost/", "[::1]:80/"]


@pytest.mark.parametrize("prefix", PREFIXES)
def test_prefixes_make_names_of_images(small, prefix):
    assert compiler.images(small, prefix, "t")["train"] == f"{prefix}train:t"


LETTERS = [" ", "a b/", "me/Ernn-", "Me/", "'", '"', "`", "$x", "é", "\n", "a" * 251]
PLACES = ["..", "../", "a/../", "a//", "/", "a:tag", "a.b:/", "a@", "-", "a___b/", "a..b/", "host:x/", "https://a.b/"]


@pytest.mark.parametrize("prefix", [*LETTERS, *PLACES])
def test_prefixes_that_make_no_name_of_an_image_are_refused(small, prefix):
    with pytest.raises(UserError, match=r"^--images: [^\n]*train[^\n]* is no name of an image: "):
        compiler.images(small, prefix, "t")


def test_two_compilations_give_one_file(small, tmp_path):
    texts = set()
    for name in "ab":
        (tmp_path / name).mkdir()
        compiled(tmp_path / name, small)
        texts.add((tmp_path / name / "pipeline.yaml").read_text())
    assert len(texts) == 1


def test_the_default_pipeline_is_a_pipeline_spec_with_every_task(tmp_path):
    declared = declaration.load(ROOT)
    spec = json_format.ParseDict(compiled(tmp_path, declared)[0], PipelineSpec())
    inner = spec.components[spec.root.dag.tasks["exit-handler-1"].component_ref.name]
    shown = {task.task_info.name: set(task.dependent_tasks) for task in inner.dag.tasks.values()}
    names = {task.task_info.name: name for name, task in inner.dag.tasks.items()}
    assert set(shown) == {task.name for task in declared.tasks}
    for name, waits in declared.graph.items():
        assert shown[name] == {names[each] for each in waits}, name


def test_the_first_level_of_the_graph_is_named_for_what_it_is(documents):
    tasks = documents[0]["root"]["dag"]["tasks"].values()
    assert {task["taskInfo"]["name"] for task in tasks} == {compiler.STAGES, compiler.ENDED}


def test_every_component_parameter_and_file_is_described(tmp_path):
    spec, *_ = compiled(tmp_path, declaration.load(ROOT))
    for name, component in {**spec["components"], "root": spec["root"]}.items():
        if "dag" in component and name != "root":
            continue  # what Kubeflow makes of the first level
        for side in ("inputDefinitions", "outputDefinitions"):
            for kind in ("parameters", "artifacts"):
                for port, about in component.get(side, {}).get(kind, {}).items():
                    assert len(about.get("description", "").split()) >= 3, f"{name}: {port}"
    assert all(task.description for task in declaration.load(ROOT).tasks)


def test_files_have_types_of_their_own(documents):
    artifacts = documents[0]["components"]["comp-compress"]["outputDefinitions"]["artifacts"]
    assert artifacts["model"]["artifactType"] == {"schemaTitle": "ernn.Program", "schemaVersion": "0.0.1"}
    declared = declaration.load(ROOT)
    bare = {task.stage for task in declared.tasks for path in task.outs if compiler._type(task, path) == "Artifact"}
    assert bare == {"check", "publish"}  # notes that say that something was done


def test_whole_numbers_stay_whole(tmp_path):
    spec, *_ = compiled(tmp_path, declaration.load(ROOT))
    values = {name: each["defaultValue"] for name, each in spec["root"]["inputDefinitions"]["parameters"].items()}
    assert values["designs_lstm_k8_admm"] == {"network": "lstm", "method": "admm", "block_size": 8}
    text = (tmp_path / "pipeline.yaml").read_text()
    assert "block_size: 8\n" in text
    assert "block_size: 8.0" not in text


def container(documents, stage):
    return documents[0]["deploymentSpec"]["executors"][f"exec-{stage}"]["container"]


def test_a_task_runs_its_own_stage_with_ports_for_its_files(documents):
    (wanted,) = [container(documents, "compress")]
    assert wanted["command"][:6] == ["python3", "-m", "components.attempts", "--retries", "2", "--"]
    assert wanted["command"][6:9] == ["python3", "-m", "torch.distributed.run"]
    assert wanted["command"][-2:] == ["-m", "components.compress"]
    words = wanted["args"]
    pairs = dict(zip(words[::2], words[1::2], strict=True))
    assert pairs == {
        "--executor-input": "{{$}}",
        "--params.design": "{{$.inputs.parameters['design']}}",
        "--params.training": "{{$.inputs.parameters['training']}}",
        "--design": "{{$.inputs.parameters['key']}}",
        "--dataset": "{{$.inputs.artifacts['dataset'].path}}",
        "--model": "{{$.outputs.artifacts['model'].path}}",
        "--metrics": "{{$.outputs.artifacts['metrics'].path}}",
    }


def test_files_of_several_tasks_are_gathered_and_sections_assembled(documents):
    words = container(documents, "report")["args"]
    gathered = [words[place + 1] for place, word in enumerate(words) if word == "--gather"]
    assert [each.split("=")[0] for each in gathered] == [
        "metrics-folder/compress/k2.json",
        "metrics-folder/compress/k4.json",
        "metrics-folder/prepare.json",
    ]
    designs = words[words.index("--params.designs") + 1]
    assert designs == ("""{"k2": {{$.inputs.parameters['designs_k2']}}, "k4": {{$.inputs.parameters['designs_k4']}}}""")


def test_a_folder_without_files_is_gathered_as_it_is(tmp_path):
    dvc = copy.deepcopy(toy.DVC)
    dvc["stages"]["report"]["cmd"] += " --models models"
    dvc["stages"]["report"]["deps"].append("models")
    declared = declaration.load(toy.write(tmp_path, dvc, toy.PARAMS | {"designs": {}}))
    words = container(compiled(tmp_path, declared), "report")["args"]
    assert [after for word, after in pairwise(words) if word == "--gather"] == [
        "metrics-folder/prepare.json=" + PORT,
        "models/",
    ]
    assert words[words.index("--params.designs") + 1] == "{{$.inputs.parameters['designs']}}"


PORT = "{{$.inputs.artifacts['in_metrics__prepare_json'].path}}"


def test_a_file_that_a_task_waits_for_is_an_order_and_no_port(tmp_path):
    dvc = copy.deepcopy(toy.DVC)
    gate = {"cmd": "python -m components.check --checked checked", "params": ["corpus"], "outs": ["checked"]}
    dvc["stages"]["check"] = gate | {"desc": "Good?", "meta": {"image": "train", "gate": True}}
    dvc["stages"]["prepare"]["deps"].append("checked")
    documents = compiled(tmp_path, declaration.load(toy.write(tmp_path, dvc)), local=True)
    tasks = documents[0]["root"]["dag"]["tasks"]
    assert tasks["prepare"]["dependentTasks"] == ["check"]
    assert "artifacts" not in tasks["prepare"]["inputs"]
    assert "checked" not in " ".join(container(documents, "prepare")["args"])


def test_paths_that_differ_have_ports_that_differ(tmp_path):
    """A network `x` and a design `dense-x` write models/dense/x and models/dense-x."""
    dvc = copy.deepcopy(toy.DVC)
    for place, name in enumerate(("models/dense/x", "models/dense-x")):
        stage = {"cmd": f"python -m components.prepare --model {name}", "meta": {"image": "train"}, "outs": [name]}
        dvc["stages"][f"train{place}"] = stage
    dvc["stages"]["report"]["cmd"] += " --models models"
    dvc["stages"]["report"]["deps"].append("models")
    declared = declaration.load(toy.write(tmp_path, dvc))
    words = container(compiled(tmp_path, declared), "report")["args"]
    gathered = dict(after.split("=") for word, after in pairwise(words) if word == "--gather")
    assert gathered["models/dense/x"] != gathered["models/dense-x"]
    assert len(set(gathered.values())) == len(gathered) == 7


def test_meta_becomes_resources_retries_secrets_and_caching(documents):
    resources = container(documents, "compress")["resources"]
    assert resources["accelerator"]["resourceType"] == "nvidia.com/gpu"
    assert "accelerator" not in container(documents, "prepare")["resources"]
    tasks = documents[0]["components"]["comp-exit-handler-1"]["dag"]["tasks"]
    assert not [name for name, task in tasks.items() if "retryPolicy" in task]  # they would repeat mistakes
    assert "components.attempts" in container(documents, "compress")["command"]
    assert tasks["compress"]["cachingOptions"] == {"enableCache": True}
    assert not tasks["report"]["cachingOptions"].get("enableCache")
    platform = documents[1]["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    assert platform["exec-compress"]["nodeSelector"]["labels"] == {"pool": "gpu"}
    assert platform["exec-compress"]["tolerations"][0]["key"] == "gpu"
    assert platform["exec-report"]["secretAsEnv"][0]["secretName"] == compiler.SECRET


def test_a_task_without_retries_is_run_once(tmp_path):
    documents = compiled(tmp_path, declaration.load(ROOT))
    assert container(documents, "prepare")["command"] == ["python3", "-m", "components.prepare"]


def test_a_changed_entry_changes_its_own_parameter_alone(small):
    before = compiler.parameters(small)
    params = small.params | {"designs": small.params["designs"] | {"k4": {"network": "gru", "block_size": 8}}}
    after = compiler.parameters(declaration.Declaration(small.tasks, params))
    assert {name for name in before if before[name] != after[name]} == {"designs_k4"}


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as place:
        declared = declaration.load(toy.write(Path(place)))
        compiled(Path(place), declared, gpu=True)
        GOLDEN.parent.mkdir(exist_ok=True)
        GOLDEN.write_text((Path(place) / "pipeline.yaml").read_text())

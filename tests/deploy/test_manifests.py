"""Manifests and Dockerfiles: valid, whole, and closed to anonymous writers."""

import json
import re
import subprocess
import sys
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from workflow import compiler, declaration

ROOT = Path(__file__).parents[2]
BASE = ROOT / "deploy" / "base"
MANIFESTS = sorted(each for each in BASE.glob("*.yaml") if each.name != "kustomization.yaml")
DOCKERFILES = sorted((ROOT / "docker").glob("*.Dockerfile"))
DOCUMENTS = [
    pytest.param(document, id=f"{file.stem}-{document['kind']}-{document['metadata']['name']}")
    for file in MANIFESTS
    for document in yaml.safe_load_all(file.read_text())
]
KEYS = set(
    re.findall(r"`([a-z0-9-]+)`", "".join(re.findall(r"^\| (`.*?) \|", (ROOT / "deploy/README.md").read_text(), re.M)))
)


def templates() -> list[dict]:
    found = [document.values[0] for document in DOCUMENTS]
    return [each["spec"]["template"]["spec"] for each in found if each["kind"] in ("Deployment", "StatefulSet")]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_manifest_passes_the_schema_of_kubernetes(document):
    kubernetes_validate.validate(document, "1.29", strict=True)


def test_every_manifest_is_among_the_resources():
    listed = yaml.safe_load((BASE / "kustomization.yaml").read_text())["resources"]
    assert sorted(listed) == [each.name for each in MANIFESTS]


def test_containers_run_as_users_without_privileges():
    for template in templates():
        assert template["securityContext"]["runAsNonRoot"]
        for container in template["containers"]:
            assert not container["securityContext"]["allowPrivilegeEscalation"]
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}


def test_every_key_of_the_secret_is_explained_and_used():
    text = "".join(each.read_text() for each in MANIFESTS)
    used = set(re.findall(r"secretKeyRef: \{name: ernn, key: ([a-z0-9-]+)\}", text))
    used |= {key for task in declaration.load(ROOT).tasks for key in task.meta.environment.values()}
    assert used == KEYS
    assert compiler.SECRET == "ernn"


def test_no_manifest_and_no_compose_file_holds_a_password():
    for file in (*MANIFESTS, ROOT / "docker-compose.yaml"):
        for line in file.read_text().splitlines():
            if found := re.search(r"(?:PASSWORD|SECRET(?:_ACCESS)?_KEY|secretKey)\"?: +(\S+)", line):
                assert found[1].startswith(("${", '"${')), line


@pytest.mark.parametrize("file", DOCKERFILES, ids=lambda each: each.stem)
def test_dockerfiles_are_clean_and_end_with_a_user_of_their_own(file):
    command = [str(Path(sys.executable).parent / "hadolint"), "--format", "json", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert json.loads(done.stdout) == []
    assert re.findall(r"^USER (.*)$", file.read_text(), re.MULTILINE)[-1] == "10001:10001"


def test_every_image_of_the_stages_has_a_dockerfile():
    images = {task.meta.image for task in declaration.load(ROOT).tasks}
    assert images <= {each.name.removesuffix(".Dockerfile") for each in DOCKERFILES}

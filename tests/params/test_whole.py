"""params.yaml as a whole: strict values with bounds, one complaint a mistake, sections that fit each other."""

import copy
import re
from pathlib import Path

import hypothesis
import pytest
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from ernn import params
from ernn.errors import UserError, complaints
from ernn.params import Design, Parameters, Section
from ernn.params.compression import kept_blocks
from ernn.params.methods import METHODS
from ernn.params.requirement import Requirement

ROOT = Path(__file__).parents[2]
DEFAULT = params.read(ROOT / "params.yaml")


def changed(place: str, value: object) -> dict:
    """The default with another value at a place with dots."""
    values = copy.deepcopy(DEFAULT)
    *path, last = place.split(".")
    inner = values
    for part in path:
        inner = inner.setdefault(part, {})
    inner[last] = value
    return values


def refusal(values: dict) -> str:
    with pytest.raises(UserError) as refused:
        params.check(values, "params.yaml")
    assert "\n" not in str(refused.value)
    return str(refused.value)


def sections(kind: type[Section] = Section) -> list[type[Section]]:
    """All classes of sections."""
    return [found for each in kind.__subclasses__() for found in (each, *sections(each)) if "ernn" in each.__module__]


OF_PARAMS = [each for each in sections() if each.__module__.startswith("ernn.params")]
FIELDS = [(section, name) for section in OF_PARAMS for name in section.model_fields if section is not Parameters]
NEEDED = {"network": "n", "design": "d", "program": "p", "outputs": 1}


def given(section: type[Section], **values: object) -> dict[str, object]:
    """Values with the ones that the section needs."""
    needed = {"per_loss": 0.5} if section is Requirement else NEEDED
    return {name: value for name, value in needed.items() if name in section.model_fields} | values


def taken(section: type[Section], name: str, value: object) -> object:
    """The value that a section makes of another, or how it refuses it."""
    try:
        return getattr(section.model_validate(given(section, **{name: value})), name)
    except ValidationError as error:
        return error


def branches(schema: dict) -> list[dict]:
    """Kinds of values that a field takes."""
    inner = [each for key in ("anyOf", "oneOf") for each in schema.get(key, [])]
    return [found for each in inner for found in branches(each)] if inner else [schema]


@pytest.mark.parametrize(("section", "name"), FIELDS, ids=lambda each: getattr(each, "__name__", each))
def test_every_number_and_text_has_bounds(section, name):
    schema = section.model_json_schema()["properties"][name]
    for each in branches(schema):
        item = each.get("items", each) if "$ref" not in each.get("items", {}) else each
        if item.get("type") in ("integer", "number") and "enum" not in item:
            assert {"minimum", "exclusiveMinimum", "ge", "gt"} & set(item), f"{name} has no lower bound"
            assert {"maximum", "exclusiveMaximum", "le", "lt"} & set(item), f"{name} has no upper bound"
        if item.get("type") == "string":
            assert {"enum", "const", "maxLength"} & set(item), f"{name} has no longest text"


@pytest.mark.parametrize(("section", "name"), FIELDS, ids=lambda each: getattr(each, "__name__", each))
@pytest.mark.parametrize("value", [True, 1, "1", 10**11, -1, "nonsense", None, [], {}, [True], {"nonsense": 1}])
def test_a_value_is_taken_as_it_is_or_refused_in_one_complaint(section, name, value):
    found = taken(section, name, value)
    if isinstance(found, ValidationError):
        assert len(found.errors()) == 1
        assert name in complaints(found)
    elif not isinstance(value, list | dict):
        assert found == value
        assert type(found) is type(value) or type(found) is float


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        ("training.epochs", True, "training.epochs: Input should be a valid integer, got True"),
        ("training.epochs", "3", "training.epochs: Input should be a valid integer, got '3'"),
        ("training.epochs", 2.5, "training.epochs: Input should be a valid integer, got 2.5"),
        ("training.learning_rate", True, "training.learning_rate: Input should be a valid number, got True"),
        ("training.learning_rate", 1e9, "training.learning_rate: Input should be less than or equal to 10, got 1000"),
        (
            "training.batch_utterances",
            10**11,
            "training.batch_utterances: Input should be less than or equal to 100000, got 100000000000",
        ),
        ("hardware.features_per_beat", True, "hardware.features_per_beat: Input should be a number, got True"),
        ("synthesis.seeds", [1, True], "synthesis.seeds.1: Input should be a valid integer, got True"),
        ("synthesis.seeds", [], "synthesis.seeds: seeds has one at least, got none"),
        ("simulation.waveform", 1, "simulation.waveform: Input should be a valid boolean, got 1"),
        ("hardware.device", "xcku06", "hardware.device: device=xcku06 must be one of xcku060, "),
        ("accelerators.lstm-pruned.device", "ecp5", "accelerators.lstm-pruned.device: device=ecp5 must be one of "),
        ("designs.lstm-pruned.block_size", "a", "designs.lstm-pruned.block_size: Input should be a valid integer, got"),
        ("designs.lstm-k2-admm.block_size", {"inputs": 4}, "designs.lstm-k2-admm.block_size.inputs: no such key"),
        ("compression.pruning_elements", "row", "compression.pruning_elements: Input should be 'rows', got 'row'"),
        (
            "programs.lstm-pruned.bits",
            {"weights": 40},
            "programs.lstm-pruned.bits.weights: Input should be less than or",
        ),
        ("corpus.kind", "timit", "corpus: kind=timit reads your own folder, and path is empty; set it"),
        ("designs", None, "designs: must be a mapping, `{}` for an empty one, got None"),
        ("corpus", None, "corpus: must be a mapping, `{}` for an empty one, got None"),
        (
            "compression",
            {},
            "compression.dense_share must be written, as in `dense_share: 0.125`: a stage depends on it",
        ),
        ("hardware", {}, "hardware.device must be written, as in `device: xcku060`: a stage depends on it alone"),
        ("networks.a b", {}, "networks: a name is letters and digits, "),
        ("networks.dense", {}, "networks: dense is the name of a folder of ours"),
        ("designs.lstm", {"network": "lstm"}, "designs.lstm: it and networks.lstm share a name"),
        ("designs.LSTM", {"network": "lstm"}, "designs.LSTM: it and networks.lstm differ by case"),
        ("designs.new", {"network": "none"}, "designs.new.network=none must be one of networks: lstm, gru"),
        ("designs.new", {"network": "a\nb"}, "designs.new.network=a b must be one of networks: lstm, gru"),
        ("networks", {}, "designs.lstm-k2-admm.network=lstm must be one of networks: there is none; designs."),
        ("programs.new", {"design": "none"}, "programs.new.design=none must be one of designs: lstm-k2-admm, "),
        ("accelerators.new", {"program": "none"}, "accelerators.new.program=none must be one of programs: "),
        (
            "designs.lstm-k2-admm.block_size",
            [{}, {}, {}],
            "designs.lstm-k2-admm: block_size has 3 entries; network lstm",
        ),
        (
            "designs.lstm-k2-admm.block_size",
            {"input": 7},
            "programs.lstm-k2-admm: layer 0, input: integer networks need block sizes of 1, 2, 4, 8, 16, 32, 64, got "
            "7; change block_size",
        ),
        ("designs.lstm-k2-admm.density", 0, "designs.lstm-k2-admm.density: Input should be greater than 0, got 0"),
        ("designs.lstm-k2-admm.density", 1.5, "designs.lstm-k2-admm.density: Input should be less than or equal to 1"),
        (
            "designs.lstm-k2-admm.density",
            True,
            "designs.lstm-k2-admm.density: Input should be a valid number, got True",
        ),
        ("designs.lstm-k2-admm.density", {"inputs": 1}, "designs.lstm-k2-admm.density.inputs: no such key"),
        (
            "designs.lstm-k2-admm.density",
            [{}, {}, {"input": 0.5}],
            "designs.lstm-k2-admm: density has 3 entries; network lstm",
        ),
        (
            "designs.lstm-k8-admm.density",
            0.09,
            "designs.lstm-k8-admm: density=0.09 leaves less than one of the 10 blocks in a row of layer 0's input "
            "matrix; give 0.1 or more, or smaller blocks",
        ),
        (
            "designs.lstm-k8-admm.density",
            {"recurrent": 0.05},
            "designs.lstm-k8-admm: density=0.05 leaves less than one of the 16 blocks in a row of layer 0's recurrent ",
        ),
        (
            "designs.lstm-k4-direct.density",
            0.5,
            "designs.lstm-k4-direct: method=direct with a density below 1: admm alone chooses blocks; leave it out",
        ),
        (
            "designs.lstm-pruned.density",
            0.5,
            "designs.lstm-pruned: method=prune with a density below 1: admm alone chooses blocks; leave it out",
        ),
        (
            "designs.lstm-k8-admm.pattern",
            "cell",
            "designs.lstm-k8-admm: pattern=cell says which blocks stay, and all do; give a density below 1",
        ),
        ("compression.pruning_elements", 129, "designs.lstm-pruned: compression.pruning_elements=129 must not exceed "),
    ],
)
def test_what_a_later_stage_would_refuse_is_refused_with_its_place(place, value, message):
    values = changed(place, value)
    if place == "compression.pruning_elements" and value == 129:
        params.check(changed(place, 128), "params.yaml")
    assert refusal(values).startswith(f"params.yaml: {message}")


@pytest.mark.parametrize("key", [True, 1, None])
def test_names_that_yaml_does_not_read_as_text(key):
    values = copy.deepcopy(DEFAULT)
    values["designs"][key] = {"network": "lstm"}
    assert refusal(values).startswith("params.yaml: designs: a name is letters and digits")
    assert f"got {key!r}, which YAML reads as no text" in refusal(values)


@pytest.mark.parametrize(
    ("block_size", "with_program", "good"),
    [(3, False, True), (3, True, False), (7, True, False), (64, True, True), ({"input": 3}, True, False)],
)
def test_block_sizes_count_where_a_program_is_made(block_size, with_program, good):
    values = changed("designs.new", {"network": "lstm", "block_size": block_size})
    if with_program:
        values["programs"]["new"] = {"design": "new"}
    if good:
        params.check(values, "params.yaml")
    else:
        assert "programs.new: layer 0, input: integer networks need block sizes of" in refusal(values)


def test_the_block_size_of_a_projection_counts_where_there_is_one():
    values = changed("designs.new", {"network": "lstm", "block_size": {"projection": 3}})
    values["programs"]["new"] = {"design": "new"}
    params.check(values, "params.yaml")
    values["networks"]["lstm"]["projection"] = 64
    assert "programs.new: layer 0, projection: integer networks need" in refusal(values)


@pytest.mark.parametrize("count", range(5))
def test_every_mapping_may_be_empty(count):
    values = DEFAULT | {section: {} for section in params.ENTRIES[::-1][:count]}
    assert sum(not getattr(params.check(values, "params.yaml"), section) for section in params.ENTRIES) == count


@pytest.mark.parametrize("section", ["corpus", "features", "scoring", "quantization", "simulation", "synthesis"])
def test_a_section_of_defaults_alone_is_good(section):
    params.check(DEFAULT | {section: {}}, "params.yaml")


@pytest.mark.parametrize(
    "section", [name for name, field in Parameters.model_fields.items() if field.is_required() and name != "version"]
)
def test_every_section_is_there(section):
    values = {name: value for name, value in DEFAULT.items() if name != section}
    assert refusal(values) == f"params.yaml: {section}: Field required"


def test_keys_that_stages_name_alone_are_those_that_must_be_written():
    named = set(re.findall(r"\b([a-z]+\.[a-z_]+)\b(?=[,\]])", "\n".join(PARAMS_OF_STAGES)))
    assert named == {".".join(place) for place in params.WRITTEN}


PARAMS_OF_STAGES = re.findall(r"^ +params: \[.*\]$", (ROOT / "dvc.yaml").read_text(), re.MULTILINE)


@pytest.mark.parametrize("section", OF_PARAMS, ids=lambda each: each.__name__)
def test_numbers_of_a_cluster_are_those_of_the_file(section):
    """Kubeflow's JSON has no integers: 4 comes as 4.0."""

    def doubled(value: object) -> object:
        if isinstance(value, dict):
            return {key: doubled(each) for key, each in value.items()}
        if isinstance(value, list | tuple):
            return [doubled(each) for each in value]
        return float(value) if type(value) is int else value

    if section is Parameters:
        assert params.check(doubled(DEFAULT), "a run") == params.check(DEFAULT, "params.yaml")
        return
    found = section.model_validate(given(section))
    again = TypeAdapter(section).validate_python(doubled(found.model_dump()))
    assert again == found
    assert str(again) == str(found)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("designs: {a: {}, a: {}}", "key 'a' is in one mapping twice, in lines 2 and 2; rename one"),
        ("designs:\n  a: {}\n  b: {}\n  a: {}", "key 'a' is in one mapping twice, in lines 3 and 5; rename one"),
        ("training: {epochs: 1}\ntraining: {epochs: 2}", "key 'training' is in one mapping twice, in lines 2 and 3"),
        ("training: {epochs: 1, 'epochs': 2}", "key 'epochs' is in one mapping twice"),
        ("trainnig: {}", "trainnig: no such key; remove it or correct its spelling"),
        ("1: {}", "1: no such key; remove it or correct its spelling"),
        ("corpus: [", "not YAML: while parsing"),
    ],
)
def test_a_file_is_refused_where_it_is_read(tmp_path, text, message):
    file = tmp_path / "params.yaml"
    file.write_text(f"version: 1\n{text}\n")
    with pytest.raises(UserError) as refused:
        params.read(file)
    assert str(refused.value).startswith(f"{file}: {message}")


@pytest.mark.parametrize("written", ["1e-3", "1E-3", "0.001", "1.0e-3", "+1e-3"])
def test_numbers_are_those_that_dvc_reads(tmp_path, written):
    (tmp_path / "params.yaml").write_text(f"version: 1\ntraining: {{learning_rate: {written}}}\n")
    assert params.read(tmp_path / "params.yaml")["training"] == {"learning_rate": 0.001}


def test_what_a_merge_brings_in_may_be_said_again(tmp_path):
    (tmp_path / "params.yaml").write_text("version: 1\nnetworks: {a: &a {cells: 8}, b: {<<: *a, cells: 16}}\n")
    assert params.read(tmp_path / "params.yaml")["networks"]["b"] == {"cells": 16}


def test_a_block_size_is_refused_once_for_all_matrices_and_programs_of_a_design():
    values = changed("designs.lstm-k8-admm.block_size", 3)
    assert sum(each["design"] == "lstm-k8-admm" for each in values["programs"].values()) > 1
    assert refusal(values).count("integer networks need block sizes") == 1


def test_vectors_of_a_user_are_those_of_a_kaldi_folder():
    given = DEFAULT | {"features": {"kind": "given", "dimension": 40}}
    message = "features.kind=given reads a Kaldi folder; set corpus.kind: kaldi, not synthetic"
    assert message in refusal(given)
    found = params.check(given | {"corpus": {"kind": "kaldi", "path": "/folder"}}, "params.yaml")
    assert found.features.dimension == 40


@pytest.mark.parametrize("features", [{"kind": "given"}, {"dimension": 40}])
def test_a_dimension_belongs_to_vectors_of_a_user(features):
    message = "vectors of your own (kind: given) have a dimension above 0, and those that are made here have none"
    assert message in refusal(DEFAULT | {"features": features})


@pytest.mark.parametrize("density", [0.1, 0.5, 1, {"input": 0.1}, [{}, {"recurrent": 0.0625}]])
def test_densities_that_leave_a_block_in_every_row_are_taken(density):
    params.check(changed("designs.lstm-k8-admm.density", density), "params.yaml")


def test_a_design_says_nothing_of_a_density_that_it_has_not():
    """What is made is found again by its design's digest."""
    written = Design(network="lstm", block_size=8).model_dump(mode="json")
    assert not {"density", "pattern"} & written.keys()
    sparse = Design(network="lstm", block_size=8, density=0.5, pattern="cell")
    assert Design.model_validate(sparse.model_dump(mode="json")) == sparse


@pytest.mark.parametrize(
    ("changes", "family"),
    [
        ({"block_size": 4}, "admm"),
        ({"block_size": 4, "density": 0.5}, "sparse"),
        ({"block_size": 4, "density": {"recurrent": 0.5}}, "sparse"),
        ({"block_size": {"input": 1, "recurrent": 4}, "density": 0.5}, "sparse"),
        ({"density": 0.5}, "admm-pruned"),
        ({"method": "direct", "block_size": 4}, "direct"),
    ],
)
def test_the_family_of_a_design(changes, family):
    design = Design(network="lstm", **changes)
    assert design.family == family
    assert METHODS[family].of in ("", design.method)


@hypothesis.given(blocks=st.integers(1, 300), density=st.floats(0.001, 1))
def test_blocks_that_are_kept(blocks, density):
    kept = kept_blocks(blocks, density)
    assert 1 <= kept <= blocks
    assert abs(kept - density * blocks) <= 0.5 or kept == 1
    assert kept_blocks(blocks, 1.0) == blocks

"""What Kubeflow's pages say of each parameter and file, and the types of files.

kfp drops both where it reads a component: they are put into what it has read.
"""

import inspect
from collections.abc import Mapping
from typing import Any

from ernn.params import Parameters
from ernn.params.files import FILES

KEY = "Name of the entry of params.yaml that the task is for."
VERSION = "0.0.1"  # of types of files
_ENTRIES = {"network": "networks", "design": "designs", "program": "programs", "accelerator": "accelerators"}


def parameter(section: str, entry: str = "") -> str:
    """What a section of params.yaml is, or one of its entries.

    >>> parameter("training")
    'Section `training` of params.yaml. Optimisation; the sums of epochs are what makes methods comparable.'
    """
    place = f"Entry `{entry}` of `{section}`" if entry else f"Section `{section}`"
    return f"{place} of params.yaml. {_summary(section)}".strip()


def _summary(section: str) -> str:
    """The first line of the class behind a section, or behind the entries of one."""
    field = Parameters.model_fields.get(section)
    kinds = [] if field is None else [field.annotation, *getattr(field.annotation, "__args__", ())]
    of_ours = (kind for kind in kinds if inspect.isclass(kind) and kind.__module__.startswith("ernn."))
    return next(((kind.__doc__ or "").split("\n")[0] for kind in of_ours), "")


def artifact(port: str, path: str = "") -> str:
    """What a file is.

    Args:
        path: where it lies, for one of many in a folder.

    >>> artifact("curve"), artifact("metrics", "metrics/prepare.json")[:30]
    ('A row for each epoch, as CSV.', 'metrics/prepare.json: numbers ')
    """
    text = FILES.get(port, port.replace("_", " "))
    return f"{path}: {text}." if path else f"{text[0].upper()}{text[1:]}."


def describe(loaded: Any, component: Mapping[str, Any]) -> None:
    """Put descriptions and types of our own into a component that kfp has read.

    Args:
        component: what it has read, in its own form.
    """
    spec = loaded.component_spec
    for given, read in ((component.get("inputs", []), spec.inputs), (component.get("outputs", []), spec.outputs)):
        for each in given:
            read[each["name"]].description = each["description"]
            if "." in each["type"]:
                read[each["name"]].type = f"{each['type']}@{VERSION}"

"""YAML by the core schema of version 1.2, as DVC reads it, in both directions."""

import functools
import re
from typing import Any

from ernn.errors import UserError

_SCHEMA = {  # what plain text is, and what it begins with
    "null": ("~|null|Null|NULL|", ["~", "n", "N", ""]),
    "bool": ("true|True|TRUE|false|False|FALSE", list("tTfF")),
    "int": ("[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", list("-+0123456789")),
    "float": (
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        list("-+.0123456789"),
    ),
    "merge": ("<<", ["<"]),
}


def parse_yaml(text: str) -> Any:
    """A value, by the core schema of YAML 1.2, as DVC reads it: 1e-3 is a number, 010 is ten, `yes` and dates are text.

    Raises:
        UserError: not YAML, or a key twice in one mapping.
    """
    import yaml

    try:
        return yaml.load(text, _loader())
    except UserError:
        raise
    except (yaml.YAMLError, ValueError) as error:  # ValueError: more digits than Python converts
        raise UserError(f"not YAML: {' '.join(str(error).split())}") from None


@functools.cache
def _loader() -> Any:
    """PyYAML's safe loader with the core schema of YAML 1.2; it refuses what would overwrite another value silently."""
    import yaml

    class Loader(yaml.SafeLoader):
        """Safe, and keys are unique."""

        def construct_yaml_int(self, node: yaml.ScalarNode) -> int:
            """In decimal, whatever the number of zeros before it; 0o and 0x say otherwise."""
            text = self.construct_scalar(node)
            return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))

        def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
            """A mapping without a key twice; what `<<` brings in may be said again."""
            seen: dict[tuple[str, str], yaml.ScalarNode] = {}
            for key, _ in node.value:
                if not isinstance(key, yaml.ScalarNode) or key.tag == "tag:yaml.org,2002:merge":
                    continue
                if (first := seen.setdefault((key.tag, key.value), key)) is not key:
                    lines = " and ".join(str(each.start_mark.line + 1) for each in (first, key))
                    raise UserError(f"key {key.value!r} is in one mapping twice, in lines {lines}; rename one")
            return super().construct_mapping(node, deep)

    Loader.yaml_implicit_resolvers = {}  # those of YAML 1.1
    _resolve(Loader)
    Loader.add_constructor("tag:yaml.org,2002:int", Loader.construct_yaml_int)
    return Loader


def dump_yaml(values: Any) -> str:
    """A value as YAML that `parse_yaml` gives back, and a reader of YAML 1.1 too: text that looks like another value to
    either is quoted."""
    import yaml

    return str(yaml.dump(values, Dumper=_dumper(), sort_keys=False))


@functools.cache
def _dumper() -> Any:
    """PyYAML's safe dumper, which knows the values of YAML 1.1, with those of the core schema besides."""
    import yaml

    class Dumper(yaml.SafeDumper):
        """Safe."""

    _resolve(Dumper)
    return Dumper


def _resolve(kind: Any) -> None:
    """Register the patterns of the core schema with a loader or dumper."""
    for name, (pattern, first) in _SCHEMA.items():
        kind.add_implicit_resolver(f"tag:yaml.org,2002:{name}", re.compile(f"^(?:{pattern})$"), first)

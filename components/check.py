"""The whole of params.yaml, before anything is made of it: what a later stage would refuse is refused here."""

from components.stage import OutputFile, main
from ernn.params import Densities, Parameters

TEXT = "Every stage behind this file begins when params.yaml has been found good; it is always the same.\n"


def check(*, parameters: Parameters, checked: OutputFile) -> None:
    """Apply the rules of the library to sizes that are known before anything is trained; no size takes long.

    Raises:
        UserError: features without content, or sizes of accelerators that their networks cannot be divided into.
    """
    from dataclasses import replace

    from components.architecture import architecture
    from ernn import artifacts
    from ernn.data import features
    from ernn.data.labels import LabelRules
    from ernn.errors import UserError
    from ernn.estimate.shapes import Shape

    features.check(parameters.features)
    LabelRules.of(parameters.corpus)
    found, inputs = [], features.dimension(parameters.features)
    for name, network in parameters.networks.items():
        try:
            if network.file:
                network.check_file()
        except UserError as error:
            found.append(f"networks.{name}: {error}")
    for name, accelerator in parameters.accelerators.items():
        spec = parameters.programs[accelerator.program]
        design = parameters.designs[spec.design]
        shape = Shape.of(parameters.networks[design.network], design, spec, inputs)
        if shape.pruning_ratio > 1:  # how many weights are left changes no rule, but what they take of this machine
            shape = replace(shape, pruning_ratio=2.0 * max(inputs, *shape.sizes))
        if shape.densities:
            shape = replace(shape, densities=tuple(map(_fewest, shape.densities)))
        try:
            architecture(accelerator, parameters.hardware, shape.program())
        except UserError as error:
            found.append(f"accelerators.{name}: {error}")
    if found:
        raise UserError("; ".join(found))
    with artifacts.atomic(checked) as temporary:
        temporary.write_text(TEXT)


def _fewest(densities: Densities) -> Densities:
    """A block in every row, where not all are kept."""
    return Densities(**{kind: 1.0 if share == 1 else 1e-9 for kind, share in densities})


if __name__ == "__main__":
    main(check)

"""Whether project, program and features belong together; checked before anything is simulated."""

from pathlib import Path

from ernn.errors import UserError
from ernn.hw.design import Accelerator, Digests
from ernn.program import files, shape
from ernn.program.network import Program
from ernn.records import speech
from ernn.records.speech import Speech

_CONTENT = {"shape": "sizes, formats and constants", "program": "weights and everything else"}  # of digests


def check(accelerator: Accelerator, program: Program, project: Path) -> None:
    """Compare the digests of program and accelerator.

    Args:
        project: the accelerator's folder, for the message.

    Raises:
        UserError: the accelerator was generated from another program; the message says which digest differs.
    """
    digests = Digests(shape.digest(program), files.digest(program))
    for name, content in _CONTENT.items():
        wanted, found = getattr(digests, name), getattr(accelerator.digests, name)
        if found != wanted:
            raise UserError(
                f"{project}: its digest `{name}` ({content}) must be that of the program {program.name}, "
                f"{wanted[:12]}.., got {found[:12]}..; generate it again (in the pipeline: `dvc repro`)"
            )


def check_speech(program: Program, file: Path, features: Speech) -> None:
    """Refuse features of other speech than the program's.

    Args:
        file: the program's, for the message.

    Raises:
        UserError: a program without phones, vectors of another size, other phones or another order of them.
    """
    if program.decoder is None:
        raise UserError(f"{file}: a program without phones, so it has no phone errors; give one of an acoustic model")
    cure = "give the program that was quantized on these features (`dvc repro`)"
    speech.check(Speech(file, program.inputs, program.decoder.phones), features, cure)

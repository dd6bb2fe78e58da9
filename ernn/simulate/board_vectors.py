"""Driver and real utterances for an accelerator on a board, and what its signals do in them for Vivado's power report.

python -m ernn.simulate.board_vectors \\
    --project hardware/NAME --program-file programs/NAME --dataset data/features --vectors vectors
"""

import sys
from pathlib import Path

from ernn import artifacts
from ernn.arguments import Parser, whole
from ernn.artifacts import disk
from ernn.data.dataset import Dataset
from ernn.errors import UserError
from ernn.golden.model import Golden
from ernn.hw import design
from ernn.hw.board import driver
from ernn.program import files
from ernn.simulate import bench, origin
from ernn.simulate.vectors import rtl_vectors
from ernn.tools.process import work_folder


def write(project: Path, program_file: Path, dataset: Path, vectors: Path, utterances: int, saif: Path | None) -> int:
    """Frames of the test split and the integer model's logits, as test bench and driver read them, and the driver.

    Args:
        project: folder of the accelerator.
        program_file: of its integer network.
        dataset: folder of features.
        vectors: folder that they are written to.
        utterances: how many; they take turns on the accelerator's streams.
        saif: toggles of a simulation of them are written there, where it is given.

    Returns:
        How many frames there are.

    Raises:
        UserError: files that do not belong together or could not be written, or the simulation differs from the
            integer model.
    """
    artifacts.check_writable(vectors, folder=True)
    if saif:
        artifacts.check_writable(saif)
    accelerator, golden = design.read(project), Golden(files.load(program_file))
    origin.check(accelerator, golden.program, project)
    data = Dataset.open(dataset)
    origin.check_speech(golden.program, program_file, data.speech)
    split = data.split("test")
    count = min(utterances, len(split.utterances))
    features = [golden.quantize(split.feature(n)) for n in range(count)]
    frames = rtl_vectors(golden.program, features, accelerator.streams)
    if saif:
        with work_folder() as work:
            bench.Recorder(project, work, accelerator.registers).record(frames, saif)
    with disk.written(vectors):
        frames.files().merged({driver.NAME: driver.source()}).write(vectors)
    return len(frames.x)


def main(arguments: list[str] | None = None) -> None:
    """Write what the command line asks for."""
    parser = Parser(
        "python -m ernn.simulate.board_vectors", description="The driver and utterances for a board, and their toggles."
    )
    parser.add_argument("--project", type=Path, required=True, help="folder of the accelerator")
    parser.add_argument("--program-file", type=Path, required=True, help="file of its integer network")
    parser.add_argument("--dataset", type=Path, required=True, help="folder of features")
    parser.add_argument("--vectors", type=Path, required=True, help="the folder to write")
    parser.add_argument("--utterances", type=whole(1), default=4)
    parser.add_argument(
        "--saif", type=Path, help="file to write: how often each signal toggles in a simulation of them"
    )
    try:
        print(f"{write(**vars(parser.parse_args(arguments)))} frames")
    except UserError as error:
        print(f"vectors: {error}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()

"""Phone error rates of integer networks over widths, transforms and seeds, beside their float networks.

    python -m bench.integer --seeds 3 --jobs 2

The designs are those of params.yaml, on its corpus. Trained networks and scores are kept under the cache folder
(ERNN_BENCH_CACHE, else ~/.cache/ernn); a killed benchmark goes on where it was.
"""

import hashlib
import itertools
import json
import logging
import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench.record import commit, record
from ernn import artifacts, params
from ernn.arguments import Parser, whole
from ernn.compression.methods import compress
from ernn.data.dataset import Dataset
from ernn.data.parallel import follow_parent
from ernn.nn import model_file
from ernn.nn.acoustic import AcousticModel
from ernn.params import Bits, Network, Parameters, ProgramSpec, Section, Training
from ernn.quantization import chain, evaluate, finetune
from ernn.scoring import phone_errors
from ernn.training import session
from ernn.training.dense import train_dense
from ernn.training.evaluate import evaluate as evaluate_float

WIDTHS = (4, 5, 6, 7, 8, 10, 12, 14, 16)
FINETUNED = (4, 6, 8)  # widths trained with their rounding too, with the first seed
CACHE = Path(os.environ.get("ERNN_BENCH_CACHE", Path.home() / ".cache/ernn")) / "integer"
MEASURES = (
    "ernn/compression",
    "ernn/data",
    "ernn/dataflow",
    "ernn/golden",
    "ernn/nn",
    "ernn/quantization",
    "ernn/scoring",
    "ernn/training",
)
NOTE = (
    "The designs of params.yaml on its corpus; every tensor group has the same width. PER in percent, 39 phones, "
    "silence a phone, over the whole test set, means over seeds; `loss` in points against the float networks of the "
    "same seeds, with its paired bootstrap 95 % interval over utterances. `exact` transforms do not round; `fourier` "
    "ones drop one bit a stage. `finetuned`: trained with their rounding for {epochs} more epochs (first seed)."
)


@dataclass(frozen=True)
class Job:
    """All widths and transforms of one design and seed."""

    design: str
    seed: int

    def float_model(self, digest: str) -> Path:
        """Where the trained network is kept: what decides its weights."""
        values = parameters()
        decide = [values.compression, self.training, values.designs[self.design], self.network]
        return CACHE / f"float-{_key(decide, digest)}" / f"{self.design}-s{self.seed}.model"

    def dense_models(self, digest: str) -> tuple[Path, Path]:
        """Where the dense networks that it comes from are kept: where compression starts, and trained to the end."""
        share = parameters().compression.dense_share
        folder = CACHE / f"dense-{_key([self.training, self.network], digest, share)}"
        return folder / f"s{self.seed}-checkpoint_at_cut.model", folder / f"s{self.seed}-dense.model"

    def folder(self, digest: str) -> Path:
        """Where its scores are kept."""
        values = parameters()
        key = _key([values.quantization, values.scoring], digest, self.float_model(digest).parent.name)
        return CACHE / f"scores-{key}" / f"{self.design}-s{self.seed}"

    @property
    def network(self) -> Network:
        """Its network."""
        return parameters().networks[parameters().designs[self.design].network]

    @property
    def training(self) -> Training:
        """The options of params.yaml with this seed."""
        return parameters().training.model_copy(update={"seed": self.seed, "threads": 1})


def _key(sections: Sequence[Section], *more: Any) -> str:
    text = json.dumps([section.model_dump(mode="json") for section in sections] + [*more])
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def parameters() -> Parameters:
    """params.yaml."""
    return Parameters.model_validate(params.read(Path("params.yaml")))


def variants(design: str, seed: int) -> Iterator[tuple[ProgramSpec, bool]]:
    """Every program that is measured, and whether it is fine-tuned."""
    pruned = parameters().designs[design].method == "prune"
    for transform, width in itertools.product(["exact"] if pruned else ["exact", "fourier"], WIDTHS):
        bits = dict.fromkeys(Bits.model_fields, width)
        spec = ProgramSpec.model_validate({"design": design, "transform": transform, "bits": bits})
        yield spec, False
        if transform == "exact" and width in FINETUNED and seed == 1:
            yield spec, True


def run(job: Job, dataset: Path, with_finetuned: bool = False) -> None:
    """Train the design and score whatever of its programs has no score yet."""
    torch.set_num_threads(1)
    logging.basicConfig(level=logging.INFO, format=f"{job.design} seed {job.seed} %(message)s")
    values, data = parameters(), Dataset.open(dataset)
    folder, test = job.folder(data.digest), data.split("test")
    model = trained(job, data)
    reference = folder / "float.json"
    if not reference.exists():
        artifacts.write_json(reference, evaluate_float(model, test, values.scoring)[1].to_json())
    quantizer = chain.Quantizer(job.design, model, data, values.quantization, values.scoring)
    for spec, tuned in variants(job.design, job.seed):
        path = folder / f"{spec.transform}-{spec.bits.weights}{'-finetuned' if tuned else ''}.json"
        if path.exists() or (tuned and not with_finetuned):
            continue
        program = (finetuned(job, data, spec) if tuned else quantizer).program(spec)
        score, _ = evaluate.score(program, test, values.scoring)
        artifacts.write_json(path, {"score": score.to_json(), "commit": commit()})
        print(path.parent.name, path.stem, f"{score.per:.2f} %", file=sys.stderr)


def train_dense_networks(job: Job, dataset: Path) -> None:
    """The dense networks that `job` starts from, unless they are there."""
    torch.set_num_threads(1)
    logging.basicConfig(level=logging.INFO, format=f"dense for {job.design} seed {job.seed} %(message)s")
    values, data = parameters(), Dataset.open(dataset)
    paths = job.dense_models(data.digest)
    if all(path.exists() for path in paths):
        return
    run = session.open_run(data, job.training, values.scoring, part="dense", key=paths[0].parent.name)
    start = session.fresh_model(job.network, data, job.training)
    for model, path in zip(train_dense(start, values.compression, run), paths, strict=True):
        model_file.save(model, path)
    run.end()


def trained(job: Job, data: Dataset) -> AcousticModel:
    """The float network of the design, trained unless it is there."""
    values, path = parameters(), job.float_model(data.digest)
    if not path.exists():
        at_cut, final = (model_file.load(each) for each in job.dense_models(data.digest))
        run = session.open_run(data, job.training, values.scoring, part="compress", key=path.parent.name)
        design = values.designs[job.design]
        model_file.save(compress(at_cut, final, design, values.compression, run), path)
        run.end()
    return model_file.load(path)


def finetuned(job: Job, data: Dataset, spec: ProgramSpec) -> chain.Quantizer:
    """The network trained with the rounding of `spec`."""
    values = parameters()
    settings = values.quantization
    quantizer = chain.Quantizer(job.design, trained(job, data), data, settings, values.scoring)
    options = finetune.options(job.training, settings)
    run = session.open_run(data, options, values.scoring, job=repr(job), program=spec.model_dump(mode="json"))
    quantizer.finetune(spec, run)
    run.end()
    return quantizer


def rows(dataset: Path, seeds: int) -> list[dict[str, Any]]:
    """One row for each design, transform, width and way that has results."""
    digest, values, result = Dataset.open(dataset).digest, parameters(), []
    for design in values.designs:
        folders = [Job(design, seed + 1).folder(digest) for seed in range(seeds)]
        for spec, tuned in variants(design, 1):
            name = f"{spec.transform}-{spec.bits.weights}{'-finetuned' if tuned else ''}.json"
            found = [folder for folder in folders if (folder / name).exists()]
            if found:
                result.append(_row(design, spec, tuned, name, found))
    return result


def _row(design: str, spec: ProgramSpec, tuned: bool, name: str, folders: list[Path]) -> dict[str, Any]:
    ours = [artifacts.read_json(folder / name) for folder in folders]
    scores = [phone_errors.Score.from_json(each["score"]) for each in ours]
    floats = [phone_errors.Score.from_json(artifacts.read_json(folder / "float.json")) for folder in folders]
    pair = [phone_errors.pooled([score.with_silences for score in each]) for each in (scores, floats)]
    low, high = phone_errors.paired_interval(pair[0], pair[1], 2000, seed=1)
    return {
        "design": design,
        "transform": spec.transform,
        "bits": spec.bits.weights,
        "finetuned": tuned,
        "per_float": round(float(np.mean([score.per for score in floats])), 3),
        "per_integer": round(float(np.mean([score.per for score in scores])), 3),
        "loss": round(pair[0].per - pair[1].per, 3),
        "loss_low": round(low, 3),
        "loss_high": round(high, 3),
        "seeds": len(folders),
        "commit": ", ".join(sorted({each["commit"] for each in ours})),
    }


def prepare() -> Path:
    """The corpus and features of params.yaml, made once."""
    from components.prepare import prepare as make

    values = parameters()
    folder = CACHE / f"dataset-{_key([values.corpus, values.features])}"
    if not (folder / "manifest.json").exists():
        make(corpus=values.corpus, features=values.features, training=values.training, dataset=folder)
    return folder


def main() -> None:
    """Run what is missing, then write the table."""
    parser = Parser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=whole(1), default=3, help="of each design")
    parser.add_argument(
        "--designs",
        nargs="+",
        default=list(parameters().designs),
        choices=parameters().designs,
        help="of params.yaml; default: all",
    )
    parser.add_argument("--jobs", type=whole(1), default=os.cpu_count() or 1, help="trainings side by side")
    parser.add_argument("--table", action="store_true", help="only make the table of the scores that are there")
    options = parser.parse_args()
    dataset = prepare()
    if not options.table:
        jobs = [Job(design, seed + 1) for seed in range(options.seeds) for design in options.designs]
        starts = {(str(job.network), job.seed): job for job in jobs}  # one of the designs that share a dense network
        with ProcessPoolExecutor(options.jobs, initializer=follow_parent, max_tasks_per_child=1) as pool:
            finetune_too = partial(run, with_finetuned=True)  # the longest last
            for work, those in ((train_dense_networks, starts.values()), (run, jobs), (finetune_too, jobs)):
                for done in [pool.submit(work, job, dataset) for job in those]:
                    done.result()
    note = NOTE.format(epochs=parameters().quantization.finetune_epochs)
    record("integer", rows(dataset, options.seeds), note=note)


if __name__ == "__main__":
    main()

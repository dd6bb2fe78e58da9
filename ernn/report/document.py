"""The report in words and tables, as Markdown."""

from collections.abc import Iterable, Mapping, Sequence

from ernn.params import Compression, Corpus, Network, NetworkSpec, Training, cells_text, head_of
from ernn.params.methods import METHODS
from ernn.report.metrics import show
from ernn.report.results import Result, Results
from ernn.scoring.doubts import IMPORTED, TRAINED, doubts

TEXT = """\
# How much a recurrent acoustic model loses when it is compressed

{headline}
{front}
## What is compared

An acoustic model reads speech, one feature vector every few milliseconds, and says which phone is spoken. Its weight
matrices are made smaller in one of several ways. In a **block-circulant** matrix of block size k, each k x k block is
given by its first column alone, so k weights stand for k x k, and a product costs two short Fourier transforms.

{methods}

Each of them is trained for the same number of epochs in all ({epochs}), with the same learning rates, on the same
data: {corpus}.{dropouts}{distilled}

| network | layers |
|---|---|
{networks}

## Results

PER is the phone error rate on the test set in 39 phones: wrong, missing and surplus phones for every 100 phones that
were spoken; less is better. The intervals are 95 % bootstrap intervals over the test utterances. That of the loss is
*paired*: both networks are judged on the same utterances, which makes it narrower. Where it holds 0, no loss was
measured.

{table}

![Phone error rate over block size](per.png)

![Loss against the dense network](degradation.png)

"Weights" counts the words that the network needs in memory: matrices as they are stored, biases, output layer. A pruned
network must also store where its weights are, a sparse one where its blocks are; the places are not counted.{best}
{integers}
## Kinds of errors

{kinds}{doubts}

## Training

![Training curves](training.png)

Left: error rate on the development set after each epoch. Compressed networks that start from a dense one continue
the dense network's first {dense} epochs. Right: how far the weights still are from block-circulant ones, as
|W - Z| / |W| for the worst matrix; the pull has done its work where this ends below {tolerance:g}.{converged}

Each network alone:

{curves}
"""
FEW_SPEAKERS = 100  # a synthetic corpus of fewer is a toy
FRONT = """
![Error rate of each accelerator over latency, energy and resources](front.png)

Hollow marks: the clock, or the energy, is an estimate. The tables below say which.

![Error rate of each accelerator over weight memory, multiplications and look-up tables](sizes.png)

Weight memory has the indices of pruned and sparse matrices. Multiplications are those of the whole accelerator, its
transforms and cells included.
"""


def markdown(results: Results, integers: str = "") -> str:
    """report.md; `integers` is its section on integer networks and what follows from them."""
    found, settings = results.networks, results.settings
    used = list(dict.fromkeys(result.network for result in found))
    methods = list(dict.fromkeys(result.method for result in found))
    tolerance = settings.compression.admm.tolerance
    return TEXT.format(
        headline=_toy(settings.corpus) + _headline(found),
        front=FRONT if results.accelerators else "",
        methods="\n".join(f"- **{method}**: {METHODS[method].text}." for method in methods),
        epochs=settings.training.epochs,
        corpus=_corpus(settings.corpus),
        dropouts=_dropouts(settings.training, settings.compression),
        distilled=_distilled(settings.compression),
        networks="\n".join(f"| {name} | {_network(settings.networks[name])} |" for name in used),
        table=results_table(found),
        best=_side_by_side(found),
        integers=integers,
        kinds=_kinds(found),
        doubts=doubtful({each.name: _doubts(each, settings.networks) for each in found}),
        dense=round(settings.training.epochs * settings.compression.dense_share),
        tolerance=tolerance,
        converged=_converged(found, tolerance),
        curves="\n\n".join(f"![Training of {each.name}](training-{each.name}.png)" for each in found),
    )


def _dropouts(training: Training, options: Compression) -> str:
    ours = training.dropout if options.dropout is None else options.dropout
    if not training.dropout and not ours:
        return ""
    if ours == training.dropout:
        return f" They train with dropout {ours:g}."
    return f" Dense networks train with dropout {training.dropout:g}, compressed ones with {ours:g}."


def _distilled(options: Compression) -> str:
    found = options.distillation
    if not found.weight:
        return ""
    return (
        " Those that are trained compressed learn from the posteriors of their dense network, too: "
        f"{found.weight:g} of their loss, at temperature {found.temperature:g}."
    )


def results_table(results: Iterable[Result]) -> str:
    """A line a network: what it is, what it costs, what it loses."""
    head = ("design", "network", "method", "block size", "weights", "fewer", "PER", "95 %", "loss", "paired 95 %")
    return markdown_table(head, [_row(result) for result in results])


def _row(result: Result) -> list[str]:
    numbers = result.metrics
    return [
        f"**{result.name}**" if not result.dense else result.name,
        result.network,
        result.method,
        result.block_size if METHODS[result.method].blocks else "–",
        show("stored_weights", numbers["stored_weights"]).removesuffix(" words"),
        f"{result.compression:.2f} x",
        show("per", numbers["per"]),
        f"{numbers['per_low']:.2f} to {numbers['per_high']:.2f}",
        *(["–", "–"] if result.dense else _loss(numbers)),
    ]


def _loss(numbers: Mapping[str, float]) -> list[str]:
    low, high = numbers["degradation_low"], numbers["degradation_high"]
    return [points(numbers["degradation"]), f"{low:+.2f} to {high:+.2f}"]


def points(value: float) -> str:
    """A difference in percentage points; one that is none has no sign."""
    shown = f"{value:+.2f}"
    return "0.00 (a tie)" if float(shown) == 0 else shown


def _kinds(results: Iterable[Result]) -> str:
    names = ("substitutions", "deletions", "insertions", "per", "per_without_silences")
    head = ("design", "substituted", "deleted", "inserted", "PER, silence a phone", "PER, silences removed")
    rows = [[each.name, *(show(name, each.metrics[name]) for name in names)] for each in results]
    return markdown_table(head, rows)


def _doubts(result: Result, networks: Mapping[str, NetworkSpec]) -> list[str]:
    """Those of one network; what was trained elsewhere is told what to do there."""
    return doubts(result.metrics, IMPORTED if result.dense and networks[result.network].file else TRAINED)


def doubtful(sentences: Mapping[str, Sequence[str]]) -> str:
    """A paragraph of what makes scores doubtful, by name; empty if nothing does."""
    found = [f"- **{name}**: {each}." for name, doubts_of in sentences.items() for each in doubts_of]
    return "\n\nDoubtful results:\n\n" + "\n".join(found) if found else ""


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Rows under a head, as Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _headline(results: Sequence[Result]) -> str:
    designs = sorted((each for each in results if not each.dense), key=lambda each: each.metrics["degradation"])
    if not results:
        return "No network is named in `networks`; nothing was trained."
    if not designs:
        return "No design is named in `designs`; only dense networks are shown."
    best, most = designs[0], max(designs, key=lambda each: each.compression)
    lines = [_sentence("Least is lost by", best)]
    level = [each.name for each in designs[1:] if each.metrics["degradation_low"] <= best.metrics["degradation_high"]]
    if level:
        lines.append(f"Level with it, since their intervals overlap: {', '.join(level)}.")
    if most is not best:
        lines.append(_sentence("Most is saved by", most))
    return " ".join(lines)


def _toy(corpus: Corpus) -> str:
    """A warning before everything else, where a corpus is too small for its error rates to mean anything."""
    if corpus.kind != "synthetic" or corpus.train_speakers >= FEW_SPEAKERS:
        return ""
    return f"**A toy run: {corpus.train_speakers} training speakers. Its error rates mean nothing.** "


def _sentence(start: str, result: Result) -> str:
    loss, interval = _loss(result.metrics)
    return (
        f"{start} **{result.name}**: {result.compression:.1f} times fewer weights, {loss} points of phone error rate "
        f"({interval}) against the dense network, at {result.metrics['per']:.2f} %."
    )


def _side_by_side(results: Iterable[Result]) -> str:
    """Error rates of methods that train block-circulant networks, where several were tried at the same place."""
    places: dict[tuple[str, str], list[Result]] = {}
    for each in results:
        if METHODS[each.method].circulant:
            places.setdefault((each.network, each.block_size), []).append(each)
    lines = [
        f"{network} at block size {size}: "
        + ", ".join(f"{METHODS[each.method].title} {each.metrics['per']:.2f} %" for each in found)
        for (network, size), found in places.items()
        if len({each.method for each in found}) > 1
    ]
    return f" Methods at the same block size: {'; '.join(lines)}." if lines else ""


def _converged(results: Iterable[Result], tolerance: float) -> str:
    last = {each.name: residual for each in results if (residual := final_residual(each)) is not None}
    above = [f"{name} ({residual:.3f})" for name, residual in last.items() if residual > tolerance]
    if not last:
        return ""
    return f" **Above it ended: {', '.join(above)}.**" if above else " Every design ended below it."


def final_residual(result: Result) -> float | None:
    """The largest primal residual at the end of the ADMM epochs; None where there were none."""
    residuals = [float(row["residual"]) for row in result.curve if "residual" in row]
    return residuals[-1] if residuals else None


def _corpus(corpus: Corpus) -> str:
    if corpus.kind != "synthetic":
        return f"the user's {'TIMIT' if corpus.kind == 'timit' else 'Kaldi data'} folder"
    each = corpus.utterances_per_speaker
    return (
        f"speech made by eSpeak NG ({corpus.train_speakers:,} speakers to train on, {corpus.dev_speakers:,} to develop "
        f"and {corpus.test_speakers:,} others to test, {each} sentences each). This speech is synthetic: absolute "
        "error rates mean little. Compare designs with each other"
    )


def _network(network: Network) -> str:
    extras = [f"projection to {network.projection}"] * bool(network.projection) + ["peepholes"] * network.peepholes
    extras += [f"linear layer of {each.outputs} ({each})" for each in head_of(network)]
    times = f"{network.layers} x " if isinstance(network.cells, int) else ""
    return ", ".join([f"{times}{cells_text(network.cells)} {network.cell.upper()} cells", *extras])

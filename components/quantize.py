"""Integer networks: what goes onto the FPGA, and its phone error rate by the model that the hardware must equal."""

from pathlib import Path

from components.stage import OutputFile, main
from ernn.params import ProgramSpec, Quantization, Scoring, Training


def quantize(
    *,
    name: str,
    program: ProgramSpec,
    quantization: Quantization,
    training: Training,
    scoring: Scoring,
    dataset: Path,
    model: Path,
    float_scores: Path,
    program_file: OutputFile,
    scores: OutputFile,
    curve: OutputFile,
) -> dict[str, float]:
    """Choose formats, freeze the network into integers, and score it over the whole test set."""
    import torch

    from ernn import artifacts
    from ernn.data.dataset import Dataset
    from ernn.nn import model_file
    from ernn.program import files
    from ernn.quantization import chain, finetune
    from ernn.training import outcome, session

    torch.set_num_threads(1)  # steps this small only lose by sharing cores
    data, trained = Dataset.open(dataset), model_file.load(model)
    session.check_model(trained, model, data, training)
    test = data.split("test")
    theirs = outcome.read_score(float_scores, test)
    identity = {"program": program.model_dump(mode="json"), "quantization": quantization.model_dump(mode="json")}
    runs: list[session.Run] = []

    def open_run() -> session.Run:
        options = finetune.options(training, quantization)
        start = artifacts.sha256(model)
        runs.append(session.open_run(data, options, scoring, stage="quantize", start=start, **identity))
        return runs[0]

    quantizer = chain.Quantizer(name, trained, data, quantization, scoring)
    quantized = chain.quantize(quantizer, program, open_run)
    score, metrics = chain.measure(quantized, test, theirs, scoring)
    artifacts.write_json(scores, {"utterances": list(test.utterances)} | score.to_json())
    outcome.write_curve(curve, quantized.rows)
    files.save(quantized.program, program_file)
    for run in runs:
        run.end()
    return metrics


if __name__ == "__main__":
    main(quantize)

"""Training loops: batches, schedule, checkpoints, data parallelism, evaluation."""

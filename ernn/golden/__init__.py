"""The integer model: the kernels of `ernn.dataflow` on numpy integers, over many utterances at once."""

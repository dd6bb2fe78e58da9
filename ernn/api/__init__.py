"""The objects of the face: a float network, its integer program, and its accelerator, each with its verbs."""

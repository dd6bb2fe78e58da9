"""From a dense network to a compressed one: ADMM, pruning, and the order of their epochs."""

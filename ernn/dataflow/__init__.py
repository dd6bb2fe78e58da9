"""Fixed-point kernels, written once on typed values; the integer model and the hardware generator both read them."""

"""Where matrices and vectors lie in an accelerator, in integers alone."""

"""The integer network as a value: its layers, matrices and files."""

"""The one door to programs outside Python: compilers, simulators, synthesizers."""

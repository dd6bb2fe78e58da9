"""Simulation of an accelerator: equal to the integer model, and its cycles and toggles."""

"""Recurrent acoustic models in floating point: cells, matrices by structure, decoding, scoring."""

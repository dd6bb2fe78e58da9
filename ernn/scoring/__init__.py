"""Phone errors: decoding, alignment, and intervals by bootstrap."""

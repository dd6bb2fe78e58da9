"""From a trained network to an integer program: ranges, formats, tables, widths chosen by measurement."""

"""The report: metrics, results, published figures, and a file for each chapter."""

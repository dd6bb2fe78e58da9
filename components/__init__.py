"""The stages: one file reads files, calls the library and writes files."""

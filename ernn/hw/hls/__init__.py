"""HLS C++ of an accelerator."""

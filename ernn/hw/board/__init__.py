"""What a board needs around an accelerator."""

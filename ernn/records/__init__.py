"""What the stages of an accelerator hand to each other as JSON: frozen dataclasses with a version."""

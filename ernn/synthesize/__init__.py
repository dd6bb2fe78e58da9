"""What an accelerator takes of a device, and the clock that it reaches: open synthesis, place and route."""

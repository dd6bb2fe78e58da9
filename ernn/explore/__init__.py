"""Search among designs before anything is trained or synthesized."""

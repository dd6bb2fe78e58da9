"""Search among accelerators before anything is trained or synthesized."""

"""What is computed and not measured: resources, energy, speed, and what fits a device."""

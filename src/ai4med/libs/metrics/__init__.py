"""What custom metrics collect their values in."""

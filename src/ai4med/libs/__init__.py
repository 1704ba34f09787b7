"""What custom components work with."""

"""What custom components derive from."""

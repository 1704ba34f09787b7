"""What custom transforms derive from."""

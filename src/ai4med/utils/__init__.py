"""Small functions that old code imports from here."""

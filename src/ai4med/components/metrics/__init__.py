"""The other module path under which v3's code imports the base of metrics."""

"""Where servers run: one package for each kind of place."""

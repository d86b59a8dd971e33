"""The list of models and the pages of their details."""

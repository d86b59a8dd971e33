"""The list of models, and the actions on a model."""

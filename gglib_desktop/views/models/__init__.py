"""The list of models, and what can be done with one."""

"""The options of a server: one definition each, with its flags, limits, label and help."""

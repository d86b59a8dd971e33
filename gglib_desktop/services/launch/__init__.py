"""From choices to a running server: the launcher, presets, command lines."""

"""The forms of launch options, presets, and command lines as text."""

"""The forms of launch choices, presets, and command lines as text."""

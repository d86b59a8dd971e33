"""The settings file and files of presets, on disk."""

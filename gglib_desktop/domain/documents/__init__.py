"""The settings file and files of presets: from text to values and back."""

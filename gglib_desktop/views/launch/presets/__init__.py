"""Presets: the bar above a form, and their dialogs."""

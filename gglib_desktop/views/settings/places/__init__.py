"""The settings' page about places, and its dialogs."""

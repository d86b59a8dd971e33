"""The form of the settings, the key for clients, and the folders of models."""

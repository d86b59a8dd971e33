"""The library of models, its checksums and its presets."""

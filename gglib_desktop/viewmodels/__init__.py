"""QObjects without widgets: one frozen snapshot, one signal, commands."""

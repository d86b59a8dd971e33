"""Widgets and bindings that know nothing of models or servers."""

"""Widgets and bindings that do not depend on models or servers."""

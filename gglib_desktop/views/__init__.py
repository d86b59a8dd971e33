"""Qt Widgets: what people see."""

"""The widgets. They show view-models and pass on what people do."""

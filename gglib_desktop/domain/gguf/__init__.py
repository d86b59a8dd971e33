"""What a model file says about itself, and how much memory it will need."""

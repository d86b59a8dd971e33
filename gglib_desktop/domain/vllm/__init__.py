"""What is pure about vLLM's server: its words, its answers, its log. Nothing outside its own packages knows them."""

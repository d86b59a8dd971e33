"""What is pure about dasllama-server: its words, its answers, its log. Nothing outside its own packages knows them."""

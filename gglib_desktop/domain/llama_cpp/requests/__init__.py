"""What llama.cpp's log tells of requests."""

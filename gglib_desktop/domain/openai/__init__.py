"""What all servers have in common that answer as OpenAI's API says."""

"""What engines have in common that answer as OpenAI's API says and are told what to serve by flags."""

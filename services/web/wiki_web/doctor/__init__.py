"""`python -m wiki_web.doctor`: checks what the page needs, and what it shows."""

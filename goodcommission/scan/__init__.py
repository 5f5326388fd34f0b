"""Many published notices at once: what can be said of practice, and what the data can not tell."""

"""What is audited: the description, its model, its reading and its schema."""

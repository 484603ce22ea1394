"""What an account keeps to ask again: prompt templates with placeholders, and styles."""

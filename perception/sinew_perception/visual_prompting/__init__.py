"""Affordances from vision-language models: marks on images, a question, a checked answer, a record of it."""

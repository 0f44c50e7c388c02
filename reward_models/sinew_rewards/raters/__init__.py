"""Raters that are not people: they judge clips by what is known of them, with stated flaws."""

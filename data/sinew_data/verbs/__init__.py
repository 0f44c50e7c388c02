"""What `sinew data` can do: each module here is a verb, with `main(argv) -> exit code`.

Its docstring's first line is what `sinew data --help` says of it.
"""

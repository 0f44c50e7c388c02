"""Benches: each module has `main(argv) -> exit code` and ends with one JSON object on stdout."""

"""Running, measuring and reporting: the verbs `run`, `bench` and `doctor`."""

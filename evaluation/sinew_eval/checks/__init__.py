"""What `sinew doctor` looks at; every check is a function that returns findings and never raises."""

"""Networks that turn pictures into features; frozen ones for policies and rewards alike."""

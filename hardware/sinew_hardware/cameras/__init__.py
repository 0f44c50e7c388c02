"""One file a camera driver, each a `Camera`; `newest` is the thread that they share."""

"""Pictures of what perception, affordance and reward make of a camera's image."""

"""How far apart two rewards are in the policies that they ask for, and small tasks where that is known."""

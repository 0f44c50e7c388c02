"""What a vision-language model, asked through `sinew_perception`'s providers, says of episodes."""

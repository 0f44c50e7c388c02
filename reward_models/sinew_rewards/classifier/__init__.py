"""A success classifier on camera images: its data, training, report card, and the reward model it becomes.

Using a classifier (`model`) needs torch and safetensors. Reading recordings imports sinew_data; measuring
one and drawing its page import sinew_eval's statistics and charts.
"""

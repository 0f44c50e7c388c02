"""The waist of Sinew: types, protocols, configuration, plugins, safety and the in-process loop.

Everything may import this package; it imports NumPy and YAML only (rich in the command line).
"""

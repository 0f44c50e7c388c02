"""Images as DDS carries them, without the detour over a Python message; see sinew_data.messages.image."""

from sinew_data.messages.image import ImageView, image_from_wire, image_to_wire

__all__ = ["ImageView", "image_from_wire", "image_to_wire"]

"""Finding a RealSense and its streams, and what to tell a user when it does not open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sinew_core.errors import ConfigError, DeviceError, did_you_mean

RULES = (
    "install librealsense's udev rules (99-realsense-libusb.rules into /etc/udev/rules.d), then "
    "`sudo udevadm control --reload-rules && sudo udevadm trigger`, and plug it in again"
)
REFUSALS = (
    (
        ("no space left", "errno=28", "bandwidth"),
        "its USB port lacks the bandwidth for {modes}: lower width, height or fps, or use another USB 3 port",
    ),
    (
        ("busy", "errno=16"),
        "another program uses it: end that one (realsense-viewer, another station), or plug it in again",
    ),
    (
        ("access", "permission", "errno=13", "cannot open '/dev"),
        f"this user may not open it: {RULES}",
    ),
    (("",), "it refused {modes}: lower width, height or fps, or plug it in again"),
)


@dataclass(frozen=True, slots=True)
class Mode:
    """A video stream that is wanted of a device."""

    stream: Literal["color", "depth"]
    width: int  # px
    height: int  # px
    fps: int  # Hz

    def __str__(self) -> str:
        """Return the mode as it stands in a sentence."""
        return f"{self.stream} {self.width}x{self.height} at {self.fps} Hz"


def load_realsense() -> Any:
    """Import and return `pyrealsense2`; raises DeviceError with what to install."""
    try:
        import pyrealsense2
    except ImportError as error:
        raise DeviceError(
            f"RealSense cameras need pyrealsense2, which cannot be imported ({error}). "
            'Run `pip install "sinew[realsense]"`, and on Debian or Ubuntu `apt install libusb-1.0-0`.'
        ) from error
    return pyrealsense2


def find_device(rs: Any, context: Any, serial: str, name: str) -> Any:
    """Return the device with a serial number, or the only one if the number is empty.

    Raises DeviceError with the serial numbers that are there.
    """
    devices = {_info(device, rs.camera_info.serial_number): device for device in context.query_devices()}
    if serial in devices:
        return devices[serial]
    if not devices:
        wanted = f"RealSense {serial}" if serial else "a RealSense"
        raise DeviceError(
            f"{name}: {wanted} was not found, and no other one either. Plug it in; if `lsusb` shows it, "
            f"{RULES}."
        )
    if serial:
        raise DeviceError(f"{name}: there is no RealSense {serial}.{did_you_mean(serial, devices)}")
    if len(devices) > 1:
        raise DeviceError(f"{name}: `serial` must say which RealSense to use.{did_you_mean(serial, devices)}")
    return next(iter(devices.values()))


def find_stream(rs: Any, device: Any, mode: Mode, name: str) -> tuple[Any, Any]:
    """Return the sensor and the profile that deliver a mode.

    Raises DeviceError with what the device offers instead.
    """
    offered = [
        (sensor, profile.as_video_stream_profile())
        for sensor in device.query_sensors()
        for profile in sensor.get_stream_profiles()
        if _is_wanted(rs, profile, mode.stream)
    ]
    for sensor, profile in offered:
        if (profile.width(), profile.height(), profile.fps()) == (mode.width, mode.height, mode.fps):
            return sensor, profile
    modes = [(profile.width(), profile.height(), profile.fps()) for _, profile in offered]
    port = _info(device, rs.camera_info.usb_type_descriptor)
    slow = (
        f" It is connected by USB {port}; a USB 3 port and cable offer more." if port < "3" and port else ""
    )
    raise DeviceError(f"{name}: this RealSense has no {mode}. {_alternatives(modes, mode)}{slow}")


def _is_wanted(rs: Any, profile: Any, stream: str) -> bool:
    form = rs.format.rgb8 if stream == "color" else rs.format.z16
    kind = rs.stream.color if stream == "color" else rs.stream.depth
    video = profile.is_video_stream_profile()
    return bool(video and profile.stream_type() == kind and profile.format() == form)


def _alternatives(modes: Sequence[tuple[int, int, int]], mode: Mode) -> str:
    if not modes:
        return f"It has no {mode.stream} stream at all."
    rates = sorted({fps for width, height, fps in modes if (width, height) == (mode.width, mode.height)})
    if rates:
        return f"At {mode.width}x{mode.height} it offers {', '.join(map(str, rates))} Hz: change `fps`."
    sizes = sorted({(width, height) for width, height, fps in modes if fps == mode.fps})
    if sizes:
        names = ", ".join(f"{width}x{height}" for width, height in sizes)
        return f"At {mode.fps} Hz it offers {names}: change the width and height."
    every = ", ".join(f"{width}x{height} at {fps} Hz" for width, height, fps in sorted(set(modes)))
    return f"It offers {every}."


def choose_preset(rs: Any, sensor: Any, preset: str, name: str) -> None:
    """Set a depth sensor's visual preset by its name, however it is spaced and capitalised.

    Raises ConfigError for one that the sensor does not have.
    """
    option = rs.option.visual_preset
    if not sensor.supports(option):
        raise ConfigError(f"{name}: this device has no visual presets; leave `preset` empty.")
    reach = sensor.get_option_range(option)
    values = [reach.min + i * reach.step for i in range(round((reach.max - reach.min) / reach.step) + 1)]
    named = {str(sensor.get_option_value_description(option, value)): value for value in values}
    alike = {_plain(key): value for key, value in named.items()}
    if _plain(preset) not in alike:
        raise ConfigError(f"{name}: unknown preset '{preset}'.{did_you_mean(preset, named)}")
    sensor.set_option(option, alike[_plain(preset)])


def _plain(text: str) -> str:
    return text.lower().replace("_", " ").strip()


def refusal(error: Exception, modes: Sequence[Mode], name: str) -> DeviceError:
    """Return what librealsense says, with what to do about it."""
    said = str(error).strip()
    advice = next(text for marks, text in REFUSALS if any(mark in said.lower() for mark in marks))
    return DeviceError(
        f"{name}: {advice.format(modes=' and '.join(map(str, modes)))}. (librealsense: {said})"
    )


def _info(device: Any, key: Any) -> str:
    """Return a field that the device tells of itself, '' if it does not."""
    return str(device.get_info(key)) if device.supports(key) else ""

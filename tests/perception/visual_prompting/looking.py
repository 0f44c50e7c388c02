"""A vision-language model of sorts: looks at the colours under the marks and reads colours in sentences."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import cv2
import numpy as np
from sinew_perception.segmentation import COLOURS, coloured_pixels

ACTIONS = {
    "push": "push",
    "slide": "push",
    "shove": "push",
    "reach": "reach",
    "move the gripper": "reach",
    "touch": "touch",
}


def look(request: dict[str, Any]) -> dict[str, Any]:
    """Return the answer to a request, from nothing but its text and its first image."""
    text, image = _shown(request)
    sentence = json.loads(text.rpartition("Task: ")[2])
    groups = [re.findall(r"(P\d+) \((\d+), (\d+)\)", line) for line in text.splitlines() if "(" in line]
    objects = {group[0][0]: _colour(image, int(group[0][1]), int(group[0][2])) for group in groups if group}
    wanted = re.findall("|".join(COLOURS), sentence.lower())
    found = [[label for label, colour in objects.items() if colour == name] for name in wanted]
    action = next((action for word, action in ACTIONS.items() if word in sentence.lower()), "place")
    count = 1 if action in ("reach", "touch") else 2
    said = {"description": f"I see {objects}.", "reasoning": f"{sentence} means {found}."}
    if len(found) < count or any(len(labels) != 1 for labels in found[:count]):
        return {**said, "answer": refuse(f"I cannot tell which of {sorted(objects.values())} is meant.")}
    labels = [labels[0] for labels in found[:count]]
    return {**said, "answer": act(action, labels)}


def refuse(why: str) -> dict[str, Any]:
    """Return the answer that declines."""
    nothing = dict.fromkeys(("action", "grasp", "moves", "target"))
    return {"possible": False, "refusal": why, **nothing, "waypoints": []}


def act(action: str, labels: list[str]) -> dict[str, Any]:
    """Return the answer that does something with the first object and, if it takes two, the second."""
    moves = labels[0] if action in ("place", "push") else None
    way = [(labels[0], "h3"), (labels[-1], "h3"), (labels[-1], "h2")]
    gripper = "open" if action == "reach" else "closed"
    return {
        "possible": True,
        "refusal": None,
        "action": action,
        "grasp": labels[0] if action == "place" else None,
        "moves": moves,
        "target": labels[-1],
        "waypoints": [{"at": at, "height": height, "gripper": gripper} for at, height in way],
    }


def _shown(request: dict[str, Any]) -> tuple[str, Any]:
    """Return the question's last text and its first image, (h, w, 3) RGB."""
    content = request["messages"][1]["content"]
    texts = [part["text"] for part in content if part["type"] == "text"]
    url = next(part["image_url"]["url"] for part in content if part["type"] == "image_url")
    data = np.frombuffer(base64.b64decode(url.partition(",")[2]), np.uint8)
    return texts[-1], cv2.cvtColor(cv2.imdecode(data, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


def _colour(image: Any, column: int, row: int) -> str:
    """Return the most frequent colour in a ring around a dot."""
    y, x = np.mgrid[-9:10, -9:10]
    ring = (np.hypot(x, y) > 6) & (np.hypot(x, y) < 9.5)
    rows, columns = (
        np.clip(row + y[ring], 0, len(image) - 1),
        np.clip(column + x[ring], 0, image.shape[1] - 1),
    )
    _, colours = coloured_pixels(np.ascontiguousarray(image[rows, columns][None]), 40, 0.4)
    return COLOURS[np.bincount(colours, minlength=6).argmax()] if len(colours) else "grey"

"""Questions in a window in which both clips play, over and over, until a key is pressed."""

from __future__ import annotations

import tkinter
from itertools import cycle

from PIL import Image, ImageTk
from sinew_core.errors import ConfigError

from sinew_rewards.asking.question import HELP, KEYS, LAST, QUIT, UNDO, Question
from sinew_rewards.asking.side_by_side import FPS, moments, picture_at

SYMBOLS = {"equal": "=", "Escape": QUIT, "Left": "1", "Right": "2", "BackSpace": "u", "space": "s"}


class WindowScreen:
    """A window of Tk, which comes with Python; a closed window is the end of the questions."""

    def __init__(self) -> None:
        try:
            self._root = tkinter.Tk()
        except tkinter.TclError as error:
            raise ConfigError(
                f"no window can be opened here ({error}); leave out --window: the questions are then files "
                "to look at, and keys go into the terminal."
            ) from error
        self._root.title("sinew feedback")
        self._title = tkinter.Label(self._root, font=("", 14), anchor="w")
        self._picture = tkinter.Label(self._root)
        self._help = tkinter.Label(self._root, text=HELP)
        for label in (self._title, self._picture, self._help):
            label.pack(fill="x", padx=12, pady=6)
        self._key = tkinter.StringVar(self._root)
        self._root.bind("<Key>", self._pressed)
        self._root.protocol("WM_DELETE_WINDOW", lambda: self._key.set(QUIT))
        self._shown: ImageTk.PhotoImage | None = None  # Tk forgets pictures that nobody holds

    def ask(self, question: Question) -> str:
        """Play a question until a key is pressed."""
        self._title.configure(text=question.title)
        self._key.set("")
        pictures = cycle([Image.fromarray(picture_at(question, m)) for m in moments(question)])
        while not self._key.get():
            self._shown = ImageTk.PhotoImage(next(pictures), master=self._root)
            self._picture.configure(image=self._shown)
            pause = tkinter.BooleanVar(self._root)
            self._root.after(1000 // FPS, pause.set, True)
            self._root.wait_variable(pause)
        return self._key.get()

    def ask_again(self) -> bool:
        """Wait for a key: undo, or any other one."""
        self._title.configure(text=LAST)
        self._key.set("")
        self._root.wait_variable(self._key)
        return self._key.get() == UNDO

    def close(self) -> None:
        """Close the window."""
        self._root.destroy()

    def _pressed(self, event: tkinter.Event[tkinter.Misc]) -> None:
        key = SYMBOLS.get(event.keysym, event.char.lower())
        if key in KEYS:
            self._key.set(key)

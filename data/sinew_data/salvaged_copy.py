"""A new file of what was salvaged from an unfinished one, with an end that says what is in it."""

from __future__ import annotations

import json

from mcap.records import Attachment, Channel, Metadata, Schema

from sinew_data import topics
from sinew_data.definitions import decoder
from sinew_data.episode import END, FORMAT, START, EpisodeEnd, from_metadata
from sinew_data.mcap_file import McapFile
from sinew_data.salvage import Damage, Salvaged, SalvagedChunk, messages_of

HUMAN = "human"


class SalvagedCopy:
    """Writes salvaged pieces and counts the episode's steps and interventions."""

    def __init__(self, file: McapFile) -> None:
        self.file = file
        self.started = False
        self.end: EpisodeEnd | None = None
        self.messages = 0
        self.damage: list[Damage] = []
        self._episode = 0
        self._schemas: dict[int, Schema] = {}
        self._channels: dict[int, Channel] = {}
        self._steps = self._interventions = 0
        self._owner = ""
        file.start()

    def take(self, piece: Salvaged) -> None:
        """Take what `salvage` yields."""
        if isinstance(piece, Damage):
            self.damage.append(piece)
        elif isinstance(piece, SalvagedChunk):
            self._take_chunk(piece)
        elif isinstance(piece, Attachment):
            self.file.add_attachment(piece.name, piece.media_type, piece.data, piece.log_time)
        elif isinstance(piece, Metadata):
            self._take_metadata(piece)
        else:
            self._announce(piece)

    def interrupted(self) -> EpisodeEnd:
        """Return the end of an episode that has none."""
        message = "the recorder ended before the episode did"
        return EpisodeEnd("interrupted", message, self._steps, self._interventions)

    def _take_metadata(self, record: Metadata) -> None:
        try:
            if record.name == END:
                self.end = from_metadata(EpisodeEnd, record.metadata)
                return
            if record.name == START:
                self.started = record.metadata.get("format") == FORMAT
                self._episode = int(json.loads(record.metadata.get("episode", "0")))
        except ValueError as error:
            self.damage.append(Damage(0, f"metadata '{record.name}': {error}"))
            return
        self.file.add_metadata(record.name, record.metadata)

    def _announce(self, record: Schema | Channel) -> None:
        known: dict[int, Schema] | dict[int, Channel] = (
            self._schemas if isinstance(record, Schema) else self._channels
        )
        if record.id not in known:
            known[record.id] = record  # type: ignore[assignment]
            self.file.announce(record)

    def _take_chunk(self, chunk: SalvagedChunk) -> None:
        for record in chunk.announced:
            self._announce(record)
        strange = chunk.index.keys() - self._channels.keys()
        if strange:
            self.damage.append(Damage(0, f"a chunk with messages of unknown channels {sorted(strange)}"))
        elif chunk.index:
            self._count(chunk)
            self.file.write_chunk(chunk.records, chunk.index)

    def _count(self, chunk: SalvagedChunk) -> None:
        self.messages += sum(len(entries) // 2 for entries in chunk.index.values())
        executed = [key for key in chunk.index if self._channels[key].topic == topics.EXECUTED]
        for channel in executed:
            try:
                schema = self._schemas[self._channels[channel].schema_id]
                decode = decoder(schema.name, schema.data.decode())
                for data in messages_of(chunk, channel):
                    self._count_step(decode(data))
            except (KeyError, ValueError) as error:
                self.damage.append(Damage(0, f"{topics.EXECUTED}: {error}"))

    def _count_step(self, message: object) -> None:
        source, episode = getattr(message, "source", ""), getattr(message, "episode", 0)
        if episode == self._episode:
            self._steps += 1
            self._interventions += source == HUMAN and self._owner != HUMAN
            self._owner = source

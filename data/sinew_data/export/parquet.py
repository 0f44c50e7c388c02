"""Parquet files of bounded size, numbered as LeRobot numbers them, and its table of tasks."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

FILES = 1000  # in a folder
NUMBERS = "chunk-{chunk_index:03d}/file-{file_index:03d}"


class FileNumbers:
    """Counts files: so many in chunk-000, then on in chunk-001."""

    def __init__(self, files: int = FILES) -> None:
        self._files, self.count = files, -1

    def advance(self) -> None:
        """Go on to the next file."""
        self.count += 1

    @property
    def place(self) -> tuple[int, int]:
        """The numbers of chunk and file."""
        return divmod(self.count, self._files)

    def path(self, root: Path, pattern: str) -> Path:
        """Return the path of the present file, in a folder that is there."""
        chunk, file = self.place
        path = root / pattern.format(chunk_index=chunk, file_index=file)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path


class ParquetFiles:
    """Appends tables; a new file begins where the present one would grow beyond the limit."""

    def __init__(self, root: Path, pattern: str, limit: int) -> None:
        self._root, self._pattern, self._limit = root, pattern, limit
        self._numbers, self._rows = FileNumbers(), 0
        self._writer: pq.ParquetWriter | None = None
        self._path = root

    def place(self, rows: int) -> tuple[int, int]:
        """Return the numbers of chunk and file that a table of so many rows will be in."""
        size = self._path.stat().st_size if self._writer is not None else 0
        if self._writer is None or size + size * rows / max(self._rows, 1) >= self._limit:
            self.close()
            self._numbers.advance()
            self._path, self._rows = self._numbers.path(self._root, self._pattern), 0
        return self._numbers.place

    def write(self, table: pa.Table) -> None:
        """Append a table to the file that was named by `place`."""
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._path, table.schema, compression="snappy")
        self._writer.write_table(table)
        self._rows += table.num_rows

    def close(self) -> None:
        """Finish the present file."""
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()


def arrow_column(values: npt.NDArray[Any]) -> pa.Array:
    """Return (rows,) as numbers, or (rows, n) as lists of a fixed size."""
    if values.ndim == 1:
        return pa.array(values)
    return pa.FixedSizeListArray.from_arrays(pa.array(np.ascontiguousarray(values).ravel()), values.shape[1])


def write_tasks(path: Path, tasks: Sequence[str]) -> None:
    """Write the tasks with their numbers; pandas reads the sentences as the table's index."""
    table = pa.table({"task_index": pa.array(range(len(tasks)), pa.int64()), "task": pa.array(tasks)})
    columns = [
        {"name": name, "field_name": name, "pandas_type": kind, "numpy_type": numpy, "metadata": None}
        for name, kind, numpy in (("task_index", "int64", "int64"), ("task", "unicode", "object"))
    ]
    about: Mapping[str, Any] = {
        "index_columns": ["task"],
        "column_indexes": [],
        "columns": columns,
        "pandas_version": "2.0.0",
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table.replace_schema_metadata({"pandas": json.dumps(about)}), path)

"""A bus of servos: reads and writes of one or of all, through the packet handler of its maker's SDK."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sinew_core.errors import DeviceError

from sinew_hardware.buses.port import Port
from sinew_hardware.buses.registers import Block, Register

log = logging.getLogger(__name__)
SUCCESS = 0  # alike in both SDKs, unlike what they call a failure
# Margins of time that a servo is given, one attempt after the other, where it alone is asked: a servo whose
# answer is only late, on a busy machine, is not to count as missing.
PATIENCE = (1.0, 3.0, 8.0)


@dataclass(frozen=True, slots=True)
class Answer:
    """What one servo said to a grouped read."""

    data: tuple[int, ...] | None  # None: nothing that could be read
    error: int = 0  # the error byte of its status packet


class ServoBus:
    """The servos on one port. `sdk` is the module of an SDK, `handler` its packet handler.

    Not thread-safe. Every method raises DeviceError when the port is gone.
    """

    def __init__(self, port: Port, sdk: Any, handler: Any) -> None:
        self.port, self._sdk, self._handler = port, sdk, handler
        self._refuses = handler.getProtocolVersion() == 2.0  # with a number, beside the bit of an alert
        self._reads: dict[tuple[Block, tuple[int, ...]], Any] = {}

    def ping(self, servo: int) -> int | None:
        """Return the model number of a servo, or None if it does not answer."""
        for patience in PATIENCE:
            self._begin(patience)
            try:
                model, result, _ = self._handler.ping(self.port, servo)
            except IndexError:  # an SDK has taken a late answer to an earlier question for that to its own
                continue
            if result == SUCCESS:
                return int(model)
        return None

    def read(self, servo: int, register: Register) -> int:
        """Return one register of one servo; raises DeviceError if it does not answer, or refuses."""
        result = SUCCESS
        for patience in PATIENCE:
            self._begin(patience)
            data, result, error = self._handler.readTxRx(self.port, servo, register.address, register.size)
            self._heed(servo, register, result, error)
            if result == SUCCESS and len(data) == register.size:
                return register.decode(data)
        raise DeviceError(self._unanswered(servo, result))

    def glance(self, servo: int, register: Register) -> int | None:
        """Return one register of one servo, asked once; None if nothing comes of it."""
        self._begin()
        data, result, _ = self._handler.readTxRx(self.port, servo, register.address, register.size)
        return register.decode(data) if result == SUCCESS and len(data) == register.size else None

    def write(self, servo: int, register: Register, value: int) -> None:
        """Write one register of one servo; raises DeviceError if it does not confirm that, or refuses."""
        result = SUCCESS
        for patience in PATIENCE:
            self._begin(patience)
            data = register.encode(value)
            result, error = self._handler.writeTxRx(self.port, servo, register.address, register.size, data)
            self._heed(servo, register, result, error)
            if result == SUCCESS:
                return
        raise DeviceError(self._unanswered(servo, result))

    def read_all(self, servos: Sequence[int], block: Block) -> dict[int, Answer]:
        """Return what each servo says of a block, asked in one packet.

        One that is silent, or spoils its answer, may hide those after it: the first without data is to blame.
        """
        self._begin()
        key = (block, tuple(servos))
        group = self._reads.get(key)
        if group is None:
            group = self._reads[key] = self._sdk.GroupSyncRead(
                self.port, self._handler, block.address, block.size
            )
            for servo in servos:
                group.addParam(servo)
        if group.txPacket() != SUCCESS:
            return dict.fromkeys(servos, Answer(None))
        return {servo: self._answer(servo, block.size) for servo in servos}

    def write_all(self, register: Register, values: Mapping[int, int]) -> None:
        """Write a register of many servos in one packet, which nobody confirms."""
        self._begin()
        group = self._sdk.GroupSyncWrite(self.port, self._handler, register.address, register.size)
        for servo, value in values.items():
            group.addParam(servo, register.encode(value))
        group.txPacket()

    def reboot(self, servo: int) -> None:
        """Start a servo anew, where its protocol has that; it is silent for a while."""
        self._handler.reboot(self.port, servo)

    def close(self) -> None:
        """Release the port."""
        self.port.close()

    def _begin(self, patience: float = 1.0) -> None:
        """Forget that the SDKs leave a port marked as in use, where an answer never came."""
        self.port.is_using, self.port.patience = False, patience

    def _answer(self, servo: int, size: int) -> Answer:
        data, result, error = self._handler.readRx(self.port, servo, size)
        if result != SUCCESS or len(data) != size:
            return Answer(None)
        return Answer(tuple(data), error)

    def _heed(self, servo: int, register: Register, result: int, error: int) -> None:
        """Raise DeviceError for an answer that refuses what was asked."""
        number = error & 0x7F
        if self._refuses and result == SUCCESS and number:
            said = self._handler.getRxPacketError(number).removeprefix("[RxPacketError] ")
            raise DeviceError(f"{self.port.path}: servo {servo} refuses address {register.address}: {said}")

    def _unanswered(self, servo: int, result: int) -> str:
        how = "does not answer" if result == self._sdk.COMM_RX_TIMEOUT else "answers with something garbled"
        return f"{self.port.path}: servo {servo} {how} at {self.port.baud} baud"

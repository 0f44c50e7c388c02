"""Numbers of every register that the drivers use: what fits comes back, and what does not is refused."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sinew_hardware.arms.servo_table import DYNAMIXEL_X, FEETECH_STS, ServoTable
from sinew_hardware.buses.registers import Register

many = settings(max_examples=60, deadline=None)
REGISTERS = sorted(
    {
        value
        for table in (FEETECH_STS, DYNAMIXEL_X)
        for value in (getattr(table, name) for name in type(table).__slots__)
        if isinstance(value, Register)
    },
    key=lambda register: (register.address, register.size),
)


@given(register=st.sampled_from(REGISTERS), data=st.data())
@many
def test_a_number_that_fits_comes_back(register: Register, data: st.DataObject) -> None:
    value = data.draw(st.integers(*register.range))
    written = register.encode(value)
    assert len(written) == register.size
    assert register.decode(written) == value
    assert register.decode([*written, 0xFF]) == value  # what follows is another's


@given(register=st.sampled_from(REGISTERS), beyond=st.integers(1, 1 << 40))
@many
def test_a_number_that_does_not_fit_is_refused(register: Register, beyond: int) -> None:
    least, most = register.range
    for value in (least - beyond, most + beyond):
        with pytest.raises(ValueError, match=f"{value} does not fit into the {register.size} bytes"):
            register.encode(value)


@pytest.mark.parametrize("table", [FEETECH_STS, DYNAMIXEL_X], ids=lambda table: table.make)
def test_a_block_holds_each_of_its_registers(table: ServoTable) -> None:
    block = table.state
    memory = list(range(256))
    data = memory[block.address : block.address + block.size]
    for register in (table.position, table.velocity, table.load, table.voltage, table.temperature):
        assert block.value(register, data) == register.decode(memory[register.address :])

"""What a load took beside what was forecast, with a driver that counts and one that does not."""

from __future__ import annotations

from ggtui.core.load_history import LoadRecord
from ggtui.core.memory.parts import DeviceShare
from ggtui.core.units import MIB

HOST = DeviceShare("CPU", is_host=True, weights_bytes=100 * MIB)
FIRST = DeviceShare("CUDA0", weights_bytes=900 * MIB, kv_bytes=100 * MIB)
SECOND = DeviceShare("CUDA1", weights_bytes=500 * MIB)


def _record(*actual: DeviceShare, process_bytes: int | None) -> LoadRecord:
    return LoadRecord(1.0, "engine", 4096, 1, actual, actual, None, process_bytes)


def test_the_drivers_share_is_what_the_process_holds_beside_its_buffers() -> None:
    record = _record(FIRST, SECOND, HOST, process_bytes=2300 * MIB)

    assert 1500 * MIB == record.device_bytes
    assert 400 * MIB == record.overhead_bytes


def test_without_a_count_or_without_devices_it_is_unknown() -> None:
    assert _record(FIRST, HOST, process_bytes=None).overhead_bytes is None
    assert _record(HOST, process_bytes=2300 * MIB).overhead_bytes is None
    assert _record(FIRST, HOST, process_bytes=900 * MIB).overhead_bytes is None


def test_the_difference_leaves_out_what_no_log_line_tells() -> None:
    predicted = DeviceShare("GPU0", weights_bytes=900 * MIB, kv_bytes=150 * MIB, overhead_bytes=400 * MIB)
    record = LoadRecord(1.0, "engine", 4096, 1, (predicted, HOST), (FIRST, HOST))

    assert 1150 * MIB == record.predicted_bytes
    assert 1100 * MIB == record.actual_bytes
    assert 0.045 == round(record.difference, 3)

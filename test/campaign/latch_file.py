"""Reads a latch file by the description in src/latch/record.rs, written anew: an oracle shares no code."""

import struct
from dataclasses import dataclass

SLOT_BYTES = 16 * 1024
STATES = {1: "disarmed", 2: "active", 3: "killed"}
POLYNOMIAL = 0xC96C5795D7870F42  # CRC-64/XZ, reflected
ALL = 0xFFFFFFFFFFFFFFFF


def _table():
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = (byte >> 1) ^ (POLYNOMIAL if byte & 1 else 0)
        table.append(byte)
    return table


TABLE = _table()


def crc64(data):
    crc = ALL
    for byte in data:
        crc = TABLE[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ ALL


@dataclass
class Record:
    counter: int
    state: str
    clean: bool
    seq: int
    first: int
    trips: dict  # seq → cause


def slot(data):
    """None: not valid."""
    magic, version, length, counter, crc = struct.unpack_from("<8sIIQQ", data)
    payload = data[32 : 32 + length]
    if magic != b"INTRLOCK" or version != 1 or len(payload) != length or crc64(data[:24] + payload) != crc:
        return None
    state, clean, _boot, seq, first, count = struct.unpack_from("<BB16sQQB", payload)
    at, trips = 35, {}
    for _ in range(count):
        (number,) = struct.unpack_from("<Q", payload, at)
        at += 32
        texts = []
        for _ in range(5):
            size = payload[at]
            texts.append(payload[at + 1 : at + 1 + size].decode())
            at += 1 + size
        trips[number] = texts[0]
    if at != length:
        raise ValueError(f"{length - at} bytes behind the last trip")
    return Record(counter, STATES[state], bool(clean), seq, first, trips)


def read(path):
    """The newest record, and how many of the two slots are valid. No file: (None, 0)."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None, 0
    slots = [slot(data[at : at + SLOT_BYTES]) for at in (0, SLOT_BYTES)]
    valid = [one for one in slots if one]
    return max(valid, key=lambda one: one.counter, default=None), len(valid)

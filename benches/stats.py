"""Quantiles, and how sure a ratio is."""

import numpy

# Neighbouring samples share what the machine was doing: they are drawn together.
BLOCK = 50
DRAWS = 1000
QUANTILES = (0.5, 0.9, 0.99, 0.999)
# A comparison counts if the control's interval contains 1 and is within this of it.
DECIDABLE = 0.02


def quantiles(values):
    """p50, p90, p99, p99.9, the greatest and the count. `None` is left out."""
    known = numpy.array([value for value in values if value is not None], dtype=float)
    if known.size == 0:
        return {"count": 0}
    found = {f"p{100 * q:g}": float(numpy.quantile(known, q)) for q in QUANTILES}
    return {**found, "max": float(known.max()), "count": int(known.size)}


def ratios(columns, pairs, levels=(0.5, 0.99), block=BLOCK, seed=1):
    """Ratios of quantiles of columns that were measured interleaved, each with its 95 % interval.

    `columns`: lists of one length, a place a round. Rounds in which anything is missing are left out. Blocks of
    rounds are drawn with replacement, the same for every column. Returns {level: {pair: [low, ratio, high]}}.
    """
    names = list(columns)
    table = numpy.array([columns[name] for name in names], dtype=float)
    table = table[:, ~numpy.isnan(table).any(axis=0)]
    block = max(1, min(block, table.shape[1] // 20))
    count = table.shape[1] // block
    if count < 2:
        return {}
    blocks = table[:, : count * block].reshape(len(names), count, block)
    drawn = numpy.random.default_rng(seed).integers(count, size=(DRAWS, count))
    draws = numpy.empty((DRAWS, len(levels), len(names)))
    for number, chosen in enumerate(drawn):
        draws[number] = numpy.quantile(blocks[:, chosen].reshape(len(names), -1), levels, axis=1)
    whole = numpy.quantile(table, levels, axis=1)
    found = {}
    for place, level in enumerate(levels):
        of_level = found.setdefault(f"p{100 * level:g}", {})
        for over, under in pairs:
            a, b = names.index(over), names.index(under)
            low, high = numpy.quantile(draws[:, place, a] / draws[:, place, b], (0.025, 0.975))
            of_level[f"{over} ÷ {under}"] = [float(low), float(whole[place, a] / whole[place, b]), float(high)]
    return found


def decidable(control):
    """Whether a control's [low, ratio, high] lets the run's comparisons count."""
    low, _, high = control
    return low <= 1.0 <= high and low >= 1.0 - DECIDABLE and high <= 1.0 + DECIDABLE


def mean_ratio(over, under, seed=1):
    """[low, ratio, high] of the means of two lists of one length, drawn in pairs."""
    a, b = numpy.array(over, dtype=float), numpy.array(under, dtype=float)
    drawn = numpy.random.default_rng(seed).integers(a.size, size=(DRAWS, a.size))
    draws = a[drawn].sum(axis=1) / b[drawn].sum(axis=1)
    low, high = numpy.quantile(draws, (0.025, 0.975))
    return [float(low), float(a.sum() / b.sum()), float(high)]

"""Series, pairs of measurements, and rows of the table that `run` prints."""

import json
import math
import statistics


def quantile(values, share):
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def summary(values):
    return {"n": len(values), "min": min(values),
            "p50": statistics.median(values),
            "p99": quantile(values, 0.99), "max": max(values)}


def median_interval(values, confidence=0.95):
    """Bounds between which the median of what `values` are drawn from lies,
    whatever their distribution: the number of values below it is that of
    heads among so many coins.  All of them if they are too few to tell."""
    ordered, n = sorted(values), len(values)
    tail, rank = 0.0, 0
    while rank < n // 2:
        tail += math.comb(n, rank) / 2 ** n
        if 2 * tail > 1 - confidence:
            break
        rank += 1
    rank = max(rank, 1)
    return ordered[rank - 1], ordered[n - rank]


def in_turns(repetitions, *measures):
    """Run each of `measures` that often: A B, B A, A B...  A machine that
    becomes slower is as slow for either.  Returns their results in step."""
    results = [[] for _ in measures]
    for turn in range(repetitions):
        order = list(enumerate(measures))
        for i, measure in reversed(order) if turn % 2 else order:
            results[i].append(measure())
    return results


def row(what, scale, unit, ours, **more):
    return {"what": what, "scale": scale, "unit": unit, "ours": summary(ours),
            **more}


def compare(what, scale, unit, ours, floor, *, floor_is, at_least=None,
            at_most=None, note=None):
    """A row whose ratio is the median of the ratios of pairs, with the
    interval that it is known to lie in."""
    ratios = [a / b for a, b in zip(ours, floor)]
    low, high = median_interval(ratios)
    ratio = {"is": statistics.median(ratios), "interval": [low, high]}
    if at_least is not None:
        ratio |= {"limit": at_least, "at_least": True}
    elif at_most is not None:
        ratio |= {"limit": at_most}
    words = [f"ratio of pairs between {low:.3f} and {high:.3f}"]
    return row(what, scale, unit, ours, floor=summary(floor),
               floor_is=floor_is, ratio=ratio,
               note="; ".join(words + ([note] if note else [])))


def show(item):
    print(json.dumps(item), flush=True)

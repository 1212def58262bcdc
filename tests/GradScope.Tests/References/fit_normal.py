"""Fits VectorMath.Normal's erf(x/√2) = x·P(x²)/Q(x²) and prints the coefficients, lowest power first.

    python3 fit_normal.py    (needs numpy; takes a few seconds)

Least squares on Chebyshev points, linearised by the last Q, with weights that move to where the error is large (Lawson), so that
the largest error becomes small; relative for large values, between relative and absolute for small ones. P is then raised by
2e-7, so that in float32 the quotient reaches 1 at the end of the range and can be cut off there.
"""

import math

import numpy as np

DEGREE, END, RAISE = 5, 5.4, 2e-7


def fit(rounds=200, points=4000):
    x = END / 2 * (1 - np.cos(np.linspace(0, np.pi, points))) + 1e-9
    f = np.vectorize(math.erf)(x / np.sqrt(2))
    s = (x / END) ** 2
    scale = np.maximum(f, 1e-3) ** 0.5
    powers = s[:, None] ** np.arange(DEGREE + 1)
    weights, last_q, best = np.ones(points), np.ones(points), (np.inf, None, None)
    for _ in range(rounds):
        rows = np.hstack([x[:, None] * powers, -f[:, None] * powers[:, 1:]]) * (np.sqrt(weights) / last_q / scale)[:, None]
        norms = np.linalg.norm(rows, axis=0)
        c = np.linalg.lstsq(rows / norms, f * np.sqrt(weights) / last_q / scale, rcond=None)[0] / norms
        p, q = c[: DEGREE + 1], np.concatenate([[1], c[DEGREE + 1 :]])
        last_q = np.abs(powers @ q)
        error = np.abs(x * (powers @ p) / (powers @ q) - f) / scale
        if error.max() < best[0]:
            best = (error.max(), p, q)
        weights = weights * (error + 1e-12)
        weights /= weights.sum()
    _, p, q = best
    return p / END ** (2 * np.arange(DEGREE + 1)) * (1 + RAISE), q / END ** (2 * np.arange(DEGREE + 1))


for name, coefficients in zip("PQ", fit()):
    print(name, " ".join(f"{np.float32(c):.9g}" for c in coefficients))

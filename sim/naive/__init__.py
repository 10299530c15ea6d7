"""A second exchange, from the rules alone and as plain as can be: what the engine is held against.

May import the engine's messages and nothing else.
"""

from sim.naive.exchange import NaiveExchange

__all__ = ["NaiveExchange"]

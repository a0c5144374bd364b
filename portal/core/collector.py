"""Python's collector of circles, set for processes that serve for weeks."""

import gc


def spare_what_stays(after: int) -> None:
    """Leave out of every later round what start-up made, and begin one only after so many new objects.

    Requests and batches make thousands of objects that go by themselves: asked after every 700, the collector finds
    nothing to do, and walks through all that the process holds to find it.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(after, 10, 10)

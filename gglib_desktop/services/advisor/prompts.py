"""The questions that are asked while a model is measured."""

from __future__ import annotations

from gglib_desktop.domain.advisor.samples import Length, Task, TextKind

_CODE = (
    'def read_rows(path):\n    """Reads a CSV file and returns its rows as dictionaries."""\n    with open(path) as',
    "class Stack:\n    def __init__(self):\n        self.items = []\n\n    def push(self, item):\n",
    "for (let i = 0; i < rows.length; i++) {\n  const row = rows[i];\n  if (row.total > 0) {\n",
)
_PROSE = (
    "The old harbor lay quiet in the early morning, and the first boats were",
    "Dear Ms. Baker, thank you for your letter of last week. We have looked into",
    "In the history of science, few ideas have been as fruitful as the thought that",
)
_LONG_CODE = '''def total_of(orders, customer):
    """The sum of all orders of a customer that were paid."""
    total = 0
    for order in orders:
        if order.customer == customer and order.is_paid:
            total += order.amount
    return total


'''
_LONG_PROSE = """The valley had always been poor, but it had never been empty. Every spring the shepherds came up with
their flocks, and every autumn they went down again to the plain, where the winters are mild. In the village below
the pass there was an inn, and in the inn a book in which the guests wrote their names.

"""


def prompt_for(task: Task, long_characters: int) -> str:
    """``long_characters``: about how long a long prompt is."""
    short = _CODE if task.kind is TextKind.CODE else _PROSE
    ending = short[(task.seed // 2) % len(short)]
    if task.length is Length.SHORT:
        return ending
    paragraph = _LONG_CODE if task.kind is TextKind.CODE else _LONG_PROSE
    return paragraph * max(long_characters // len(paragraph), 1) + ending

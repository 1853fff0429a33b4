"""Events that can't be read as a change, each made from one that could."""

from stream_simulator.changes import Change
from stream_simulator.recentchange import event

NOT_AN_EVENT = "<html><h1>502 Bad Gateway</h1></html>"


def malform(change: Change, variant: int) -> tuple[str, str]:
    """The event of `change`, an edit, with a fault, and its kind; there are five variants.

    The kind is `malformed` if the text is not JSON, `unreadable` if it is JSON but no change.
    """
    data, title = event(change), f',"title":{change.page.title},'
    match variant % 5:
        case 0:
            return data[: len(data) * 2 // 3], "malformed"
        case 1:
            return data.replace(title, ",", 1), "unreadable"
        case 2:
            return data.replace(title, ',"title":["not","a","text"],', 1), "unreadable"
        case 3:
            return data.replace(f'"timestamp":{change.timestamp}', '"timestamp":"soon"', 1), "unreadable"
        case _:
            return NOT_AN_EVENT, "malformed"

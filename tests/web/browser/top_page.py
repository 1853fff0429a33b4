"""What a person reads off the live top."""

from playwright.sync_api import Page

_READ = """() => {
  const text = (element) => element.textContent;
  const number = (element) => Number(text(element).replaceAll(",", ""));
  return {
    total: number(document.querySelector(".totals dd")),
    rows: [...document.querySelectorAll("#titles tr")].map(
      (row) => [text(row.querySelector(".title bdi")), number(row.querySelector(".count"))]),
  };
}"""


def shown_top(page: Page) -> tuple[int, list[tuple[str, int]]]:
    """Read at one moment: how many changes are counted in all, and title and changes of each row."""
    found = page.evaluate(_READ)
    return found["total"], [(title, count) for title, count in found["rows"]]

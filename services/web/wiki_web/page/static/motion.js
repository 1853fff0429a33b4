// Animates rows to their new position, and highlights counts that have changed.

const still = matchMedia("(prefers-reduced-motion: reduce)");
const GLIDE = { duration: 350, easing: "ease-out" };

/** Runs `update`, then animates what it changed among the keyed rows of `list`. */
export function animated(list, update) {
  if (still.matches || !list) {
    update();
    return;
  }
  const before = new Map([...list.children].map((row) => [row, { top: row.offsetTop, count: countOf(row) }]));
  update();
  for (const row of list.children) {
    const known = before.get(row);
    if (!known) {
      row.animate([{ opacity: 0 }, { opacity: 1 }], GLIDE);
      continue;
    }
    const moved = known.top - row.offsetTop;
    if (moved) row.animate([{ transform: `translateY(${moved}px)` }, { transform: "none" }], GLIDE);
    if (known.count !== countOf(row)) {
      row.querySelector(".count").animate([{ color: "var(--accent)" }, {}], { duration: 1500, easing: "ease-in" });
    }
  }
}

function countOf(row) {
  return row.querySelector(".count")?.textContent;
}

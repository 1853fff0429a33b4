// Shows the chart's values under the pointer; they are in the table beside it.

/** Shows the values of the bucket under the pointer, also in charts that are added later. */
export function followPointer(root) {
  root.addEventListener("pointermove", (event) => {
    const plot = event.target.closest?.(".plot");
    if (plot) point(root, plot, event.clientX);
    else clear(root);
  });
  root.addEventListener("pointerleave", () => clear(root));
}

function point(root, plot, x) {
  const rows = root.querySelectorAll("#buckets tr");
  const { left, width } = plot.getBoundingClientRect();
  const last = rows.length - 1;
  const index = Math.min(last, Math.max(0, Math.round(((x - left) / width) * last)));
  const [until, changes, editors] = [...rows[index].cells].map((cell) => cell.textContent);
  const known = rows[index].hasAttribute("data-unknown") ? changes : `${changes} changes, ${editors} editors`;
  root.querySelector("#readout").textContent = `until ${until}: ${known}`;
  const cursor = plot.querySelector(".cursor");
  cursor.hidden = false;
  cursor.style.left = `${(100 * index) / last}%`;
}

function clear(root) {
  const cursor = root.querySelector(".cursor");
  if (!cursor || cursor.hidden) return;
  cursor.hidden = true;
  root.querySelector("#readout").textContent = "";
}

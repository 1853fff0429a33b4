// Makes one tree equal to another with the fewest changes: what stays the same is not touched.

/** Changes `old` into `fresh`. Elements with data-own, and what `keeps(element)` names, are left alone. */
export function morph(old, fresh, keeps = () => false) {
  if (old.hasAttribute("data-own") || keeps(old)) return;
  morphAttributes(old, fresh);
  morphChildren(old, fresh, keeps);
}

function morphAttributes(old, fresh) {
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && !(name === "open" && old.localName === "details")) old.removeAttribute(name);
  }
  // A control that a person has used no longer follows its attribute.
  if (old.localName === "input" && old.type === "radio") old.checked = fresh.hasAttribute("checked");
  if (old.localName === "option") old.selected = fresh.hasAttribute("selected");
}

function morphChildren(old, fresh, keeps) {
  const keyed = new Map();
  const staying = new Set([...fresh.children].map((child) => child.dataset.key));
  for (const child of [...old.children]) {
    const key = child.dataset.key;
    if (key === undefined) continue;
    if (staying.has(key)) keyed.set(key, child);
    else child.remove();
  }
  let next = old.firstChild;
  for (const child of fresh.childNodes) {
    const match = matching(child, next, keyed);
    if (match === null) {
      old.insertBefore(document.importNode(child, true), next);
      continue;
    }
    if (match === next) next = next.nextSibling;
    else place(old, match, next);
    if (match.nodeType === Node.ELEMENT_NODE) morph(match, child, keeps);
    else if (match.data !== child.data) match.data = child.data;
  }
  while (next) {
    const rest = next.nextSibling;
    next.remove();
    next = rest;
  }
}

/** The node of the old tree that becomes `child`: by its key, else the next one if it is of the same kind. */
function matching(child, next, keyed) {
  const key = child.dataset?.key;
  if (key !== undefined) {
    const match = keyed.get(key);
    keyed.delete(key);
    return match ?? null;
  }
  if (!next || next.nodeType !== child.nodeType || next.nodeName !== child.nodeName) return null;
  return next.dataset?.key === undefined && next.id === child.id ? next : null;
}

/** Where the browser can, the move keeps focus and running animations. */
function place(parent, node, next) {
  if (parent.moveBefore) parent.moveBefore(node, next);
  else parent.insertBefore(node, next);
}

// Makes one tree equal to another, without touching what is the same in both.

/** Changes `old` into `fresh`, except for elements with data-own and those for which `keeps(element)` is true. */
export function morph(old, fresh, keeps = () => false) {
  // What a noscript holds is a text here, and elements in a tree that was parsed without scripts.
  if (old.hasAttribute("data-own") || old.localName === "noscript" || keeps(old)) return;
  morphAttributes(old, fresh);
  morphChildren(old, fresh, keeps);
}

function morphAttributes(old, fresh) {
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) === value) continue;
    old.setAttribute(name, value);
    if (name === "value" && old.localName === "input") old.value = value;
  }
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && !(name === "open" && staysOpen(old))) old.removeAttribute(name);
  }
  // Once a control was used, its attribute no longer sets its state. What is being typed stays.
  if (old.localName === "input" && old.type === "radio") old.checked = fresh.hasAttribute("checked");
  if (old.localName === "option") old.selected = fresh.hasAttribute("selected");
}

/** What a person opened stays so. Of details with a key the new page says whether they are open. */
function staysOpen(element) {
  return element.localName === "details" && element.dataset.key === undefined;
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
    else move(old, match, next);
    if (match.nodeType === Node.ELEMENT_NODE) morph(match, child, keeps);
    else if (match.data !== child.data) match.data = child.data;
  }
  while (next) {
    const rest = next.nextSibling;
    next.remove();
    next = rest;
  }
}

/** The old node that becomes `child`: the one with its key, or the next one if it is of the same kind; or null. */
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

/** `moveBefore`, where the browser has it, keeps focus and running animations. */
function move(parent, node, next) {
  if (parent.moveBefore) parent.moveBefore(node, next);
  else parent.insertBefore(node, next);
}

// Keeps focus and selected text through an update.

/** Runs `update`, then puts focus and selection back where they were, as far as those nodes still exist. */
export function keepingSelection(update) {
  const focused = document.activeElement;
  const { anchorNode, anchorOffset, focusNode, focusOffset, isCollapsed } = document.getSelection();
  update();
  if (focused?.isConnected && focused !== document.activeElement) focused.focus({ preventScroll: true });
  const selection = document.getSelection();
  const lost = selection.anchorNode !== anchorNode || selection.focusNode !== focusNode;
  if (!isCollapsed && lost && anchorNode.isConnected && focusNode.isConnected) {
    selection.setBaseAndExtent(anchorNode, fit(anchorNode, anchorOffset), focusNode, fit(focusNode, focusOffset));
  }
}

function fit(node, offset) {
  return Math.min(offset, node.nodeType === Node.TEXT_NODE ? node.length : node.childNodes.length);
}

// Restarts a refresh loop that has stopped, and reloads the page where the loop can't run at all.
// In the oldest syntax, as it has to work in browsers that can't read the other scripts.
(function () {
  var START = 15000; // milliseconds until the loop has to have begun
  var CHECK = 1000;
  var RELOAD_AFTER = 12; // checks after the restart

  var root = document.documentElement;
  var overdue = 0;

  function check() {
    var due = Number(root.getAttribute("data-refresh-due")) || START;
    if (document.hidden || performance.now() < due) {
      overdue = 0;
      return;
    }
    overdue += 1;
    // At the first check after a sleep, the loop may not have had its turn yet.
    if (overdue === 2) restart();
    if (overdue > RELOAD_AFTER) location.reload();
  }

  function restart() {
    var notice = document.getElementById("unreachable");
    notice.hidden = false;
    notice.textContent = "This page has stopped refreshing itself. What you see is from before; it is starting again.";
    root.setAttribute("data-lost", "");
    var event = document.createEvent("Event");
    event.initEvent("refreshoverdue", false, false);
    document.dispatchEvent(event);
  }

  setInterval(check, CHECK);
})();

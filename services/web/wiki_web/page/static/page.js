// Wires the page's parts together; what the server rendered is updated in place.
import { followPointer } from "./chart.js";
import { followFilters } from "./filter_form.js";
import { Notifier } from "./notify.js";
import { followNotify } from "./notify_box.js";
import { isPaused, followPauses } from "./pause.js";
import { Play } from "./play.js";
import { followReasons } from "./reasons.js";
import { Refresh } from "./refresh.js";
import { ServerClock, tellTimes } from "./times.js";

const page = document.getElementById("page");
const clock = new ServerClock();
const notifier = new Notifier(page);
const refresh = new Refresh(page, clock, isPaused, () => notifier.isOn);

followFilters(refresh);
followPauses(page, () => refresh.catchUp());
followPointer(page);
followNotify(page, notifier);
followReasons(page);
new Play(page, clock, refresh);
page.addEventListener("answer", () => notifier.look());
notifier.look({ silently: true });
refresh.start();
setInterval(() => { if (!document.hidden) tellTimes(page, clock); }, 1000);

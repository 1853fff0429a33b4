// Wires the page's parts together; what the server rendered is updated in place.
import { followPointer } from "./chart.js";
import { followFilters } from "./filter_form.js";
import { isPaused, followPauses } from "./pause.js";
import { Play } from "./play.js";
import { followReasons } from "./reasons.js";
import { Refresh } from "./refresh.js";
import { ServerClock, tellTimes } from "./times.js";

const page = document.getElementById("page");
const clock = new ServerClock();
const refresh = new Refresh(page, clock, isPaused);

followFilters(refresh);
followPauses(page, () => refresh.catchUp());
followPointer(page);
followReasons(page);
new Play(page, clock, refresh);
refresh.start();
setInterval(() => { if (!document.hidden) tellTimes(page, clock); }, 1000);

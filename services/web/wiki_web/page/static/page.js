// Wires the page: what the server rendered stays as it is and is kept up to date in place.
import { followPointer } from "./chart.js";
import { followFilters } from "./filters.js";
import { isPaused, followPauses } from "./pause.js";
import { Refresh } from "./refresh.js";
import { ServerClock, tellTimes } from "./times.js";

const page = document.getElementById("page");
const clock = new ServerClock();
const refresh = new Refresh(page, clock, isPaused);

followFilters(refresh);
followPauses(page, () => refresh.catchUp());
followPointer(page);
refresh.start();
setInterval(() => { if (!document.hidden) tellTimes(page, clock); }, 1000);

// Starts every part of the page that needs JavaScript; each part finds its own elements and does nothing without them.
import { startCopying } from "./copy.js";
import { startDashboards } from "./dashboard.js";
import { startDialogs } from "./dialogs.js";
import { startKeys } from "./keys.js";
import { startPalette } from "./palette.js";
import { startPanel } from "./panel.js";
import { startRefreshing } from "./refresh.js";
import { startRows } from "./rows.js";
import { startScrollers } from "./scrollers.js";
import { startSocket } from "./socket.js";
import { startTheme } from "./theme.js";
import { startToasts } from "./toasts.js";

startTheme();
startDialogs();
startPalette();
startPanel();
startKeys();
startCopying();
startToasts();
startRefreshing();
startDashboards();
startRows();
startScrollers();
startSocket();

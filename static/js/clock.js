// The time of day in the reader's own zone, which need not be the browser's.
const zone = document.documentElement.dataset.zone || undefined;
const format = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: zone });

export const timeOfDay = (ms) => format.format(new Date(ms));

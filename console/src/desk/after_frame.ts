/** What need not be in the frame that answers a key: it is done once that frame is on the screen, in order; at once, where the page goes. */
let waiting: (() => void)[] = [];

export function afterFrame(act: () => void): void {
  waiting.push(act);
  if (waiting.length > 1) return;
  if (document.hidden) setTimeout(doAll); // a hidden page has no frames
  else requestAnimationFrame(() => setTimeout(doAll));
}

function doAll(): void {
  const all = waiting;
  waiting = [];
  for (const act of all) act();
}

export function watchGoing(): void {
  addEventListener("pagehide", doAll);
  document.addEventListener("visibilitychange", doAll);
}

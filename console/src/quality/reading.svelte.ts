/** Something of the server that a screen shows and keeps up to date; what was read stays until something newer came. */
const EVERY_MS = 60_000;

export class Reading<T> {
  value = $state.raw<T | null>(null);
  failed = $state(false);
  /** What is shown answers an earlier question. */
  isOld = $state(false);
  at = $state(0);
  private turn = 0;

  constructor(private readonly read: () => Promise<T>) {}

  /** Read now and every minute, as long as the page is looked at; returns how to stop. */
  start(): () => void {
    const timer = setInterval(() => {
      if (document.visibilityState === "visible") void this.again();
    }, EVERY_MS);
    this.isOld = this.value !== null;
    void this.again();
    return () => {
      clearInterval(timer);
      this.turn += 1;
    };
  }

  async again(): Promise<void> {
    const mine = (this.turn += 1);
    try {
      const value = await this.read();
      if (mine !== this.turn) return; // something else is asked by now
      this.value = value;
      this.at = Date.now();
      this.failed = false;
      this.isOld = false;
    } catch {
      if (mine === this.turn) this.failed = true;
    }
  }
}

/** What a reviewer works with beside the queue, as it stands at the server: views, keys, canned replies, who else is there. */
import { deskApi, type Canned, type Desk as Read, type Person, type View } from "../api/desk";
import { effective, use, type Action, type KeyRow, type Own } from "../keys";
import { queue } from "../queue/queue.svelte";
import { session } from "../state.svelte";
import { staffing } from "./staffing.svelte";

const SAID_EVERY_MS = 15_000; // a third of how long the server takes somebody for there
const CHANGED_AFTER_MS = 400;

class Desk {
  business = $state("");
  undoS = $state(0);
  /** What becomes of a draft whose deadline passes. */
  onExpiry = $state<"raise" | "safe_reply">("raise");
  views = $state.raw<readonly View[]>([]);
  canned = $state.raw<readonly Canned[]>([]);
  own = $state.raw<Own>({});
  people = $state.raw<readonly Person[]>([]);
  isRead = $state(false);

  keys: readonly KeyRow[] = $derived(effective(this.own));
  lookers = $derived(new Map(this.people.filter((one) => one.hold).map((one) => [one.hold!, one.name])));

  private hold: string | null = null;
  private timer: ReturnType<typeof setInterval> | undefined;
  private soon: ReturnType<typeof setTimeout> | undefined;
  private deaf: (() => void) | undefined;

  async start(): Promise<void> {
    this.end();
    if (!session.may("holds:read")) return;
    this.deaf = queue.listen((line) => line.event.startsWith("desk.") && void this.read());
    this.timer = setInterval(() => this.say(), SAID_EVERY_MS);
    await this.read();
    this.say();
  }

  end(): void {
    this.deaf?.();
    clearInterval(this.timer);
    clearTimeout(this.soon);
    this.people = [];
  }

  /** The key that a button names for an action. */
  key(action: Action): string {
    return this.keys.find((row) => row.action === action)?.keys[0] ?? "";
  }

  async prefer(own: Own): Promise<void> {
    const keys = Object.fromEntries(Object.entries(own).map(([action, names]) => [action, [...names]]));
    await deskApi.prefer({ keys });
    this.take(own);
  }

  /** Say which hold one looks at, once one stays there. */
  looksAt(hold: string | null): void {
    this.hold = hold;
    clearTimeout(this.soon);
    this.soon = setTimeout(() => this.say(), CHANGED_AFTER_MS);
  }

  async read(): Promise<void> {
    const read: Read | null = await deskApi.read().catch(() => null); // it is asked again with the next change
    if (!read) return;
    this.business = read.business;
    this.undoS = read.undo_s;
    this.onExpiry = read.on_expiry;
    this.views = read.views;
    this.canned = read.canned;
    this.take(read.preferences.keys ?? {});
    this.isRead = true;
  }

  private take(own: Own): void {
    this.own = own;
    use(own);
  }

  private say(): void {
    const isSeen = !document.hidden;
    if (!(isSeen || staffing.isMine) || queue.link === "lost" || !session.who) return;
    void deskApi
      .here(isSeen ? this.hold : null) // who takes hand-offs is there with the page in the background, too
      .then((found) => (this.people = found.people))
      .catch(() => undefined); // who is there is nothing to be told of as missing
  }
}

export const desk = new Desk();

/** Who takes hand-offs, as it stands at the server, and whether one is here for them oneself. Nothing of it without teams. */
import { teamsApi, type PersonHere, type Team } from "../api/teams";
import { queue } from "../queue/queue.svelte";
import { session } from "../state.svelte";

const GATHER_MS = 400; // events this close together are one question to the server

class Staffing {
  isOn = $state(false);
  /** How many waits leads are told of. */
  told = $state(0);
  teams = $state.raw<readonly Team[]>([]);
  me = $state.raw<PersonHere | null>(null);
  /** Grows with whatever happens to a wait, for screens that show them. */
  news = $state(0);

  /** Whether hand-offs are given to whoever is signed in. */
  isMine = $derived(this.teams.some((team) => team.people.some((one) => one.name === session.name)));

  private deaf: (() => void) | undefined;
  private soon: ReturnType<typeof setTimeout> | undefined;

  async start(): Promise<void> {
    this.end();
    if (!session.may("holds:read")) return;
    await this.read();
    if (!this.isOn) return;
    this.deaf = queue.listen((line) => {
      if (!line.event.startsWith("staffing.")) return;
      this.soon ??= setTimeout(() => void this.readAgain(), GATHER_MS);
    });
  }

  end(): void {
    this.deaf?.();
    clearTimeout(this.soon);
    this.soon = undefined;
    [this.isOn, this.told, this.teams, this.me] = [false, 0, [], null];
  }

  async read(): Promise<void> {
    const found = await teamsApi.all().catch(() => null); // it is asked again with the next change
    if (!found) return;
    [this.isOn, this.told, this.teams] = [found.is_on, found.told, found.items];
    if (this.isMine) this.me = await teamsApi.me().catch(() => this.me);
  }

  /** Say that one is away, or here; the error comes back where it is not taken. */
  async say(isAway: boolean): Promise<void> {
    this.me = await teamsApi.say(isAway);
  }

  private async readAgain(): Promise<void> {
    this.soon = undefined;
    this.news += 1;
    await this.read();
  }
}

export const staffing = new Staffing();

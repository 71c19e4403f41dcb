/** What the health screen shows of the server's figures: rows by agent and by channel, and how near limits are. No text is made here. */
import type { Health } from "../api/health";

export type AgentRow = {
  readonly name: string | null;
  readonly asked: number;
  readonly failed: number;
  readonly p50: number | null;
  readonly p95: number | null;
  /** The worst state that a living process has its breaker in, and how many have. */
  readonly breaker: string;
  readonly inProcesses: number;
  readonly tries: number;
  readonly triesFailed: number;
};

const WORST = ["open", "half_open", "closed"];

/** Before the names of systems of record, where a process tells of both. */
const SYSTEM = "systems.";

/** One row for each agent that was asked lately or that a process knows; drafts that never came stand last, under no name. */
export function agentRows(health: Health): AgentRow[] {
  const alive = health.processes.filter((one) => !one.is_silent);
  const known = new Set([...health.went.agents.map((one) => one.agent), ...alive.flatMap((one) => one.knows.agents.map((agent) => agent.agent))]);
  return [...known]
    .filter((name) => !name?.startsWith(SYSTEM))
    .map((name): AgentRow => {
      const went = health.went.agents.find((one) => one.agent === name);
      const each = alive.flatMap((one) => one.knows.agents.filter((agent) => agent.agent === name));
      const breaker = WORST.find((state) => each.some((one) => one.breaker === state)) ?? "closed";
      return {
        name,
        asked: went?.asked ?? 0,
        failed: went?.failed ?? 0,
        p50: went?.took.p50_ms ?? null,
        p95: went?.took.p95_ms ?? null,
        breaker,
        inProcesses: each.filter((one) => one.breaker === breaker).length,
        tries: each.reduce((sum, one) => sum + one.tries, 0),
        triesFailed: each.reduce((sum, one) => sum + one.failed, 0),
      };
    })
    .sort((a, b) => (a.name === null ? 1 : b.name === null ? -1 : a.name.localeCompare(b.name)));
}

export type SystemRow = {
  readonly name: string;
  readonly asked: number;
  readonly known: number;
  /** Of how much it is unknown, by why; the most frequent first. */
  readonly unknown: readonly (readonly [string, number])[];
  readonly p50: number | null;
  readonly p95: number | null;
  readonly breaker: string;
  readonly inProcesses: number;
  /** How its answers differ from those before, in the server's words. */
  readonly drifts: readonly string[];
};

/** One row for each system of record that was to be asked lately, or that a process knows. */
export function systemRows(health: Health): SystemRow[] {
  const alive = health.processes.filter((one) => !one.is_silent).flatMap((one) => one.knows.agents);
  const known = alive.map((one) => one.agent).filter((name) => name.startsWith(SYSTEM)).map((name) => name.slice(SYSTEM.length));
  const names = new Set([...(health.went.systems ?? []).map((one) => one.system), ...known]);
  return [...names].sort().map((name): SystemRow => {
    const went = health.went.systems?.find((one) => one.system === name);
    const each = alive.filter((one) => one.agent === SYSTEM + name);
    const breaker = WORST.find((state) => each.some((one) => one.breaker === state)) ?? "closed";
    return {
      name,
      asked: went?.asked ?? 0,
      known: went?.known ?? 0,
      unknown: Object.entries(went?.unknown ?? {}).sort(([, a], [, b]) => b - a),
      p50: went?.took.p50_ms ?? null,
      p95: went?.took.p95_ms ?? null,
      breaker,
      inProcesses: each.filter((one) => one.breaker === breaker).length,
      drifts: went?.drifts ?? [],
    };
  });
}

export type ChannelRow = {
  readonly name: string;
  readonly tries: number;
  readonly accepted: number;
  /** What came of tries that the channel did not take, by outcome. */
  readonly not: readonly (readonly [string, number])[];
  readonly p50: number | null;
  readonly p95: number | null;
  readonly waits: number;
  readonly oldest: string | null;
  readonly dead: number;
};

export function channelRows(health: Health): ChannelRow[] {
  const names = new Set([...health.went.channels.map((one) => one.channel), ...health.unsent.map((one) => one.channel)]);
  return [...names].sort().map((name): ChannelRow => {
    const went = health.went.channels.find((one) => one.channel === name);
    const open = health.unsent.filter((one) => one.channel === name && one.state !== "dead");
    return {
      name,
      tries: went?.tries ?? 0,
      accepted: went?.outcomes["accepted"] ?? 0,
      not: Object.entries(went?.outcomes ?? {}).filter(([outcome]) => outcome !== "accepted"),
      p50: went?.took.p50_ms ?? null,
      p95: went?.took.p95_ms ?? null,
      waits: open.reduce((sum, one) => sum + one.count, 0),
      oldest: open.map((one) => one.oldest_at).sort()[0] ?? null,
      dead: unsent(health, "dead", name),
    };
  });
}

export function unsent(health: Health, state: string, channel?: string): number {
  const fitting = health.unsent.filter((one) => one.state === state && (channel === undefined || one.channel === channel));
  return fitting.reduce((sum, one) => sum + one.count, 0);
}

/** The share of a limit that is used, in whole percent; a limit of nothing is always full. */
export function share(used: number, limit: number): number {
  return limit <= 0 ? 100 : Math.round((used / limit) * 100);
}

/** A time in ms as one says it: 12 ms, 1.4 s. */
export function took(ms: number | null): string {
  if (ms === null) return "–";
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

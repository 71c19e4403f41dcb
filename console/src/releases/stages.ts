/** The life of a release as the screen shows it: its steps, its share of new conversations, and what may be done to it. Pure. */
import type { AgentReleases, Release, ReleaseStatus, RunProgress, Stage } from "../api/releases";

export const STEPS = ["created", "gated", "shadow", "canary", "full"] as const satisfies readonly Stage[];
export type StepState = "done" | "now" | "to come" | "skipped";

/** How far a release came: its stage, or where it had been when it was taken back, retired or given up. */
export function reached(release: Release): (typeof STEPS)[number] {
  const own = STEPS.find((step) => step === release.stage);
  if (own) return own;
  const been = release.moves.map((move) => STEPS.findIndex((step) => step === move.what));
  const last = release.moves.map((move) => move.what).lastIndexOf(release.stage);
  const before = been.slice(0, last < 0 ? undefined : last).filter((place) => place >= 0);
  return STEPS[before.at(-1) ?? 0]!;
}

export function stepsOf(release: Release): readonly { readonly step: (typeof STEPS)[number]; readonly state: StepState }[] {
  const far = STEPS.indexOf(reached(release));
  const isUnderWay = STEPS.some((step) => step === release.stage);
  const moved = new Set(release.moves.map((move) => move.what));
  return STEPS.map((step, place) => {
    if (place > far) return { step, state: "to come" };
    if (place === far) return { step, state: isUnderWay ? "now" : "done" };
    return { step, state: step === "created" || moved.has(step) ? "done" : "skipped" };
  });
}

/** The share of new conversations that a release drafts for. */
export function shareOf(release: Release, agent: AgentReleases): number {
  if (release.stage === "canary") return release.share;
  if (release.stage !== "full") return 0;
  const canary = agent.releases.find((one) => one.release.stage === "canary");
  return 1 - (canary?.release.share ?? 0);
}

export type Order = "promote" | "again" | "waive" | "hold" | "resume" | "rollBack" | "giveUp" | "stopGate";

/** Stages that a person may take a release to from here, the next one first. */
export function ways(release: Release): readonly Stage[] {
  switch (release.stage) {
    case "gated": return ["shadow", "canary"];
    case "shadow": return ["canary"];
    case "canary": return ["full", "canary"];
    case "rolled_back":
    case "retired": return ["gated"];
    default: return [];
  }
}

/** What the server would not refuse, as far as can be told from here; the server decides. */
export function ordersFor(status: ReleaseStatus): readonly Order[] {
  const { release, gate } = status;
  const isAtGate = gate?.state === "pending" || gate?.state === "running";
  const found: Order[] = [];
  if (ways(release).length && !release.hold) found.push("promote");
  if (release.stage === "created" && !isAtGate) {
    if (status.is_stated) found.push("again");
    if (release.gate?.verdict !== "fail") found.push("waive");
  }
  if (isAtGate) found.push("stopGate");
  if (release.stage === "shadow" || release.stage === "canary" || release.stage === "full") {
    found.push(release.hold ? "resume" : "hold");
  }
  if (release.stage === "shadow" || release.stage === "canary" || (release.stage === "full" && release.replaces != null)) found.push("rollBack");
  if (release.stage === "created" || release.stage === "gated") found.push("giveUp");
  return found;
}

export const isUnderWay = (run: RunProgress): boolean => run.state === "open" || run.state === "waiting";
/** How full the bar of a run or gate is; one that was decided early is over, whatever it might have taken. */
export const doneShare = (run: { readonly done: number; readonly planned: number; readonly state: string }): number => (run.state === "ended" || run.state === "decided" ? 1 : run.planned ? run.done / run.planned : 0);

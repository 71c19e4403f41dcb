/** What people call a release: its entry in the configuration, beside it the agent's own version and its id. Pure. */
import type { AgentReleases, Release } from "../api/releases";

const OTHER_VERSION = "~";
const UNVERSIONED = "unversioned";

export type Named = { readonly entry: string; readonly ids: string };

/** The agent's own version and the id, where both exist. */
export const idsOf = (one: Pick<Release, "id" | "agent_version">): string => [one.agent_version, one.id].filter(Boolean).join(" · ");

/** Releases by the name under which their drafts are kept: a first one by the agent's version, later ones by their id. */
export function namesOf(agents: readonly AgentReleases[]): ReadonlyMap<string, Named> {
  const found = new Map<string, Named>();
  for (const { release } of agents.flatMap((agent) => agent.releases)) {
    const named = { entry: release.entry, ids: idsOf(release) };
    found.set(release.id, named);
    if (release.is_first) found.set(release.agent_version ?? UNVERSIONED, named);
  }
  return found;
}

/** How a draft's version is said: with all that names it; as it is where no release has that name. */
export function called(name: string, names: ReadonlyMap<string, Named>): Named {
  const known = names.get(name) ?? names.get(name.split(OTHER_VERSION, 1)[0]!);
  if (!known) return { entry: "", ids: name };
  return name.includes(OTHER_VERSION) && !names.has(name) ? { entry: known.entry, ids: name } : known;
}

export const inOne = ({ entry, ids }: Named): string => (entry ? `${entry} (${ids})` : ids);

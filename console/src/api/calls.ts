/** Calls of the API by the session's cookie. A refusal is a `Refused` with the problem's code and words; none is tried again here. */
import type { Contact, Conversation, Decided, HoldDetail, Problem, Queue, SignedIn, Turn, VerdictBody, Ways } from "./types";

const WITHIN_MS = 20_000;

/** The server said no; `code` is the stable name of the problem. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
    readonly retryAfterS: number,
  ) {
    super(detail);
  }
}

/** No answer came, so it is not known whether anything was done. */
export class Unanswered extends Error {}

let onSignedOut = (): void => undefined;

/** What to do once the server says that nobody is signed in. */
export function whenSignedOut(act: () => void): void {
  onSignedOut = act;
}

/** One call below `/v1/`; screens beside queue and review have their calls in files of their own. */
export async function ask<T>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<T> {
  let answer: Response;
  try {
    answer = await fetch(`/v1/${path}`, {
      method,
      headers: body === undefined ? headers : { ...headers, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      keepalive: path.endsWith("/release"), // it may be the last that a page does
      signal: AbortSignal.timeout(WITHIN_MS),
    });
  } catch (error) {
    throw new Unanswered(String(error));
  }
  if (!answer.ok) throw await refusal(answer, path);
  return (answer.status === 204 ? undefined : await answer.json()) as T;
}

async function refusal(answer: Response, path: string): Promise<Refused> {
  const problem = (await answer.json().catch(() => null)) as Problem | null;
  if (answer.status === 401 && !path.startsWith("session")) onSignedOut();
  const code = problem?.type.split(":").at(-1) ?? "error";
  return new Refused(answer.status, code, problem?.detail ?? `HTTP ${answer.status}`, Number(answer.headers.get("retry-after") ?? 0));
}

const at = encodeURIComponent;

export const api = {
  signIn: (name: string, password: string) => ask<SignedIn>("POST", "session", { name, password }),
  waysIn: () => ask<Ways>("GET", "session/ways"),
  whoAmI: () => ask<SignedIn>("GET", "session"),
  signOut: () => ask<void>("DELETE", "session"),
  queue: (only?: readonly string[]) =>
    ask<Queue>("GET", only ? `queue?${only.map((id) => `hold=${at(id)}`).join("&")}` : "queue"),
  turn: (id: string) => ask<Turn>("GET", `turns/${at(id)}`),
  hold: (id: string) => ask<HoldDetail>("GET", `holds/${at(id)}`),
  claim: (id: string) => ask<unknown>("POST", `holds/${at(id)}/claim`),
  release: (id: string) => ask<unknown>("POST", `holds/${at(id)}/release`),
  decide: (id: string, version: number, verdict: VerdictBody) =>
    ask<Decided>("POST", `holds/${at(id)}/verdict`, verdict, { "if-match": `"${version}"` }),
  conversation: (id: string) => ask<Conversation>("GET", `conversations/${at(id)}`),
  say: (id: string, text: string) => ask<unknown>("POST", `conversations/${at(id)}/messages`, { text }),
  takeFrom: (id: string, name: string) => ask<Conversation>("POST", `conversations/${at(id)}/take_over`, { take_from: name }),
  handBack: (id: string, note: string) => ask<Conversation>("POST", `conversations/${at(id)}/hand_back`, note ? { note } : {}),
  contact: (id: string) => ask<Contact>("GET", `contacts/${at(id)}`),
  relate: (act: "link" | "unlink", one: string, other: string) =>
    ask<Contact>("POST", `contacts/${at(one)}/${act}`, { contact_id: other }),
};

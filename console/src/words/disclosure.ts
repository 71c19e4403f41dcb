/** How the console says what customers are told of the AI that writes to them. */
import type { Disclosure, Origin } from "../api/types";

export const DISCLOSURE = {
  where: {
    message: "said with it",
    channel: "shown by the channel",
    caller: "shown by the caller",
  } satisfies Record<Disclosure["shown"], string>,
  title: (language: string, version: number) => `tells that an AI writes: ${language}, version ${version}`,
  origins: {
    ai: "",
    ai_approved: "approved by a person",
    ai_edited: "changed by a person",
    person: "",
    automatic: "",
  } satisfies Record<Origin, string>,
};

/** The API's own shapes under short names; they are generated from its description (`npm run types`) and written nowhere. */
import type { components } from "./schema";

type Schemas = components["schemas"];

export type QueueRow = Schemas["QueueRow"];
export type Queue = Schemas["QueueOut"];
export type HoldDetail = Schemas["HoldDetail"];
export type Earlier = NonNullable<HoldDetail["before"]>[number];
export type Hold = HoldDetail["hold"];
export type Turn = Schemas["TurnOut"];
export type ProposedAction = Required<Schemas["ActionOut"]>; // the server leaves nothing out
export type Finding = Schemas["Finding"];
export type Passage = Schemas["Passage"];
export type Conversation = Schemas["ConversationOut"];
export type Message = Schemas["MessageOut"];
export type Disclosure = Schemas["DisclosureOut"];
export type Origin = Schemas["Origin"];
export type Contact = Schemas["ContactDetail"];
export type SignedIn = Schemas["SignedIn"];
export type Ways = Schemas["Ways"];
export type VerdictBody = Pick<Schemas["VerdictBody"], "action"> & Partial<Schemas["VerdictBody"]>; // what has a default may be left out
export type Decided = Schemas["VerdictOut"];
export type Verdict = VerdictBody["action"];
export type Kind = Hold["kind"];
export type LedgerLine = Schemas["LedgerLine"];
export type Problem = Schemas["Problem"];

/** Every text about what a lead may do for a customer, beside links. */

export const LEAD_ACTS = {
  title: "For this customer",
  lift: "Let the agent answer again…",
  code: "Send a one-time code…",
  link: "Link another contact…",
  vouch: "An address is theirs…",
  erase: "Erase this person…",
  leave: "Leave it",
  failed: "That was refused. Look at the customer again.",
  ask: {
    lift: { title: "Let the agent answer this customer again?", does: "From the next message on the agent may answer them as it answers everybody. The ledger keeps who said so, and why.", act: "Yes, lift it" },
    code: { title: "Send a one-time code?", does: "An approved text with a code goes to an address that we know of somebody. Once it is entered in this conversation, that address is theirs.", act: "Send it" },
    link: { title: "Link another contact to this one?", does: "They count as one person for people, caps and limits. Replies and the agent’s history follow only what was proven.", act: "Yes, link them" },
    vouch: { title: "Is this address theirs?", does: "They count as verified from then on. Say so only if you know it.", act: "Yes, it is theirs" },
    erase: { title: "Erase this person for good?", does: "What they said and were told, every address and name, drafts and evidence go; what is under way for them ends. Nothing of it can be had back. The ledger stays whole and tells of it.", act: "Erase for good" },
  },
  why: "Why?",
  whys: { settled: "It is settled with them", mistake: "It was a mistake", asked: "They asked for it", other: "Another reason" } as Record<string, string>,
  address: "E-mail address or phone number",
  contact: "The other contact’s id",
  withLinked: (others: number) => `and the ${others === 1 ? "contact" : `${others} contacts`} linked with them`,
  confirm: (word: string) => `Type ${word} to go on`,
  lifted: "The agent may answer this customer again.",
  sent: "The code is on its way.",
  linked: "They are linked.",
  vouched: "It is kept as theirs.",
  erased: (count: number, isWritten: boolean) =>
    `${count === 1 ? "The contact is" : `${count} contacts are`} erased.${isWritten ? "" : " The database’s file is written anew next, by itself; until then it may hold bytes of it. The ledger says when that is done."}`,
  notTyped: "Nothing was erased: what you typed is not it.",
} as const;

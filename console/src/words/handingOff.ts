/** What is said where a conversation changes hands between two people, or back to the agent. */
export const HANDING = {
  hasIt: (name: string) => `${name} has this conversation.`,
  explain: (name: string) => `If you take it, you answer this customer from now on, and ${name} is told.`,
  take: (name: string) => `Take it from ${name}`,
  taken: (name: string) => `You took the conversation from ${name}.`,
  takenFromYou: (name: string) => `${name} took a conversation from you.`,
  note: "What did you do? The agent is told, the customer is not. Leave it empty if it is all in your messages.",
} as const;

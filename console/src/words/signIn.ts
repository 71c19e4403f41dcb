/** What the sign-in page says beside its two fields: the way by the identity provider, and why nobody came in by it. */
export const SIGN_IN = {
  or: "or with a password",
  withPassword: "Sign in with a password",
  adminsOnly: "Passwords are for admins, while the company account does not work.",
  unknown: "Signing in did not work. Try again; if it stays so, tell whoever runs this server.",
  /** One sentence for each reason of the server (`records/admission.py`). */
  refused: {
    "not-configured": "This server knows no company accounts.",
    "not-begun-here": "This sign-in was begun in another window or by somebody else. Begin again here.",
    "too-late": "That took more than ten minutes. Begin again.",
    "too-many-tries": "Too many tries from your network. Wait five minutes and begin again.",
    "provider-away": "The company account’s server does not answer. Try again in a moment; if it stays so, tell whoever runs this server.",
    "provider-refused": "The company account’s server did not let you in, or you went back. Try again.",
    "token-invalid": "What the company account’s server said could not be proven. Try again; if it stays so, tell whoever runs this server.",
    "no-name": "Your company account has no name that could be used here. Ask whoever looks after it.",
    "no-role": "Your company account gives you no role here. Ask your lead for access, then sign in again.",
    "other-domain": "Your company account’s address is not of a company that may come in here.",
    "shut-out": "Your access here was taken away. Ask your lead.",
  } as Record<string, string>,
};

// A real OpenID Connect provider for tests, on a port of its own: oidc-provider, which the OpenID Foundation certified.
// The command line says as JSON whom it knows ({accounts: {login: claims}, client: {…}}). It says in one line where it
// listens, and takes orders from tests at /test/…: other redirect addresses, people or keys, and what to lie about.
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { decodeJwt, decodeProtectedHeader, importJWK, SignJWT } from "jose";
import Provider from "oidc-provider";

const told = JSON.parse(process.argv[2]);
const accounts = new Map(Object.entries(told.accounts));
let key, listener, lies;

function newKey() {
  const made = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ format: "jwk" });
  return { ...made, use: "sig", alg: "RS256", kid: randomBytes(8).toString("hex") };
}

const server = createServer((request, answer) => void serve(request, answer));
await new Promise((listens) => server.listen(0, "127.0.0.1", listens));
const issuer = `http://127.0.0.1:${server.address().port}`;

function begin(withKey) {
  key = withKey;
  const provider = new Provider(issuer, {
    clients: [told.client],
    jwks: { keys: [key] },
    cookies: { keys: ["only for tests"] },
    claims: { openid: ["sub"], profile: ["name"], email: ["email", "email_verified"], groups: ["groups"] },
    scopes: ["openid", "profile", "email", "groups"],
    pkce: { required: () => true },
    ttl: { IdToken: 3600, AuthorizationCode: 60, AccessToken: 60, Interaction: 600, Grant: 600, Session: 600 },
    findAccount: (_, id) => accounts.has(id) && { accountId: id, claims: () => ({ sub: id, ...accounts.get(id) }) },
    features: { devInteractions: { enabled: true } },
  });
  listener = provider.callback();
}
begin(newKey());

/** Send a token with other claims, or by a key that nobody knows, in place of the true one. */
async function lied(body) {
  const answer = JSON.parse(body);
  if (!answer.id_token) return body;
  const { by, ...claims } = lies;
  const header = { ...decodeProtectedHeader(answer.id_token), ...(by === "nobody" ? { kid: "nobody's" } : {}) };
  const signer = by ? newKey() : key;
  const said = Object.entries({ ...decodeJwt(answer.id_token), ...claims }).filter(([, value]) => value !== null);
  const token = new SignJWT(Object.fromEntries(said)).setProtectedHeader(header);
  return JSON.stringify({ ...answer, id_token: await token.sign(await importJWK(signer, "RS256")) });
}

async function serve(request, answer) {
  const { pathname, searchParams } = new URL(request.url, issuer);
  const value = searchParams.has("value") ? JSON.parse(searchParams.get("value")) : null;
  if (pathname === "/test/keys") begin(newKey());
  else if (pathname === "/test/redirects") begin(((told.client.redirect_uris = value), key));
  else if (pathname === "/test/accounts") for (const [login, claims] of Object.entries(value)) accounts.set(login, claims);
  else if (pathname === "/test/lies") lies = value;
  else {
    if (pathname === "/token" && lies) {
      const end = answer.end.bind(answer);
      answer.end = (body) => void lied(body).then((text) => (answer.setHeader("content-length", Buffer.byteLength(text)), end(text)));
    }
    return listener(request, answer);
  }
  return answer.end("done");
}

console.log(JSON.stringify({ issuer }));
process.stdin.resume().on("end", () => process.exit()); // whoever started it is gone

// Signs in with an official TypeScript client, its user saying yes in a browser without scripts, and makes a picture.
// usage: node sign_in.mjs client|sdk URL COOKIE_HEADER [METADATA_DOCUMENT_URL]

import * as modern from "@modelcontextprotocol/client";
import { Client as SdkClient } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as SdkTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

const [flavour, url, cookie, clientMetadataUrl] = process.argv.slice(2);
const [Caller, Transport] = flavour === "sdk" ? [SdkClient, SdkTransport] : [modern.Client, modern.StreamableHTTPClientTransport];
const callback = "http://127.0.0.1:7777/callback";
const origin = new URL(url).origin;
const kept = {};
let answer;

async function sayYes(question) {
  const page = await (await fetch(question, { headers: { cookie } })).text();
  const body = new URLSearchParams({ ticket: /name="ticket" value="([^"]+)"/.exec(page)[1], decision: "allow" });
  for (const scope of question.searchParams.get("scope").split(" ")) body.append("scope", scope);
  const said = await fetch(`${origin}/oauth/authorize`, { method: "POST", headers: { cookie, origin }, body, redirect: "manual" });
  answer = new URL(said.headers.get("location")).searchParams;
}

const authProvider = {
  redirectUrl: callback,
  clientMetadataUrl,
  clientMetadata: { client_name: "TypeScript client", redirect_uris: [callback], token_endpoint_auth_method: "none" },
  clientInformation: () => kept.client,
  saveClientInformation: (client) => { kept.client = client; },
  tokens: () => kept.tokens,
  saveTokens: (tokens) => { kept.tokens = tokens; },
  redirectToAuthorization: sayYes,
  saveCodeVerifier: (verifier) => { kept.verifier = verifier; },
  codeVerifier: () => kept.verifier,
  saveDiscoveryState: (found) => { kept.found = found; },
  discoveryState: () => kept.found,
};

const info = { name: "limner-protocol-tests", version: "1" };
const first = new Transport(new URL(url), { authProvider });
try {
  await new Caller(info).connect(first);
} catch (refusal) {
  if (answer === undefined) throw refusal;
}
await first.finishAuth(flavour === "sdk" ? answer.get("code") : answer);
const caller = new Caller(info);
await caller.connect(new Transport(new URL(url), { authProvider }));
const result = await caller.callTool({ name: "generate_image", arguments: { prompt: "a red boat", modelId: "limner:sketch" } });
console.log(JSON.stringify(result));
await caller.close();

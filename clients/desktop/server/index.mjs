// Carries MCP between standard input and output and a Limner server's HTTP endpoint, message for message.
// Environment: LIMNER_URL (the server, with or without /api/mcp), LIMNER_API_KEY. Needs Node 18 and nothing else.

import { createInterface } from "node:readline";

const VERSION_KEY = "io.modelcontextprotocol/protocolVersion";
const NAMED_BY = { "tools/call": "name", "prompts/get": "name", "resources/read": "uri" };
const CONNECTION_LOST =
  "The connection to Limner broke off. Repeat the identical call: it returns the same picture and does not pay twice.";

const endpoint = endpointOf(process.env.LIMNER_URL);
const key = (process.env.LIMNER_API_KEY ?? "").trim();
const running = new Map(); // request id -> what ends its HTTP request
let session; // what `initialize` gave: who the client is, for the requests after it
let negotiated; // the protocol version `initialize` agreed on

for await (const line of createInterface({ input: process.stdin })) {
  if (line.trim()) void carry(line);
}

async function carry(line) {
  let message;
  try {
    message = JSON.parse(line);
  } catch {
    return write({ jsonrpc: "2.0", id: null, error: { code: -32700, message: "That is not JSON." } });
  }
  const stopped = message.method === "notifications/cancelled" && running.get(message.params?.requestId);
  if (stopped && stopped.modern) return stopped.abort(); // over HTTP of 2026-07-28 hanging up is the cancellation
  const isRequest = message.id !== undefined && message.method !== undefined;
  const abort = new AbortController();
  const modern = message.params?._meta?.[VERSION_KEY] !== undefined;
  if (isRequest) running.set(message.id, { modern, abort: () => abort.abort() });
  try {
    await exchange(message, abort.signal, isRequest);
  } catch (problem) {
    if (isRequest && !abort.signal.aborted) fail(message.id, `${CONNECTION_LOST} (${reason(problem)})`);
  } finally {
    running.delete(message.id);
  }
}

async function exchange(message, signal, isRequest) {
  const response = await fetch(endpoint, {
    method: "POST",
    headers: headersFor(message),
    body: JSON.stringify(message),
    signal,
  });
  if (message.method === "initialize") session = response.headers.get("mcp-session-id") ?? undefined;
  const kind = response.headers.get("content-type") ?? "";
  if (kind.startsWith("text/event-stream")) {
    const answered = await relay(response.body, message);
    if (isRequest && !answered) fail(message.id, CONNECTION_LOST);
    return;
  }
  const text = await response.text();
  if (!isRequest) return;
  const answer = parsed(text);
  if (answer?.jsonrpc === "2.0") return pass(answer, message);
  const error = answer?.error;
  fail(message.id, error ? `${error.code}: ${error.message} ${error.nextStep ?? ""}`.trim() : `The server at ${endpoint} answered ${response.status}, not as Limner does.`);
}

function headersFor(message) {
  const version = message.params?._meta?.[VERSION_KEY];
  const headers = { "Content-Type": "application/json", Accept: "application/json, text/event-stream" };
  if (key) headers.Authorization = `Bearer ${key}`;
  if (version === undefined) {
    if (session !== undefined && message.method !== "initialize") headers["Mcp-Session-Id"] = session;
    if (negotiated !== undefined) headers["MCP-Protocol-Version"] = negotiated;
    return headers;
  }
  headers["MCP-Protocol-Version"] = version;
  if (message.method) headers["Mcp-Method"] = message.method;
  const name = message.params?.[NAMED_BY[message.method]];
  if (typeof name === "string") headers["Mcp-Name"] = headerValue(name);
  return headers;
}

function headerValue(text) {
  const plain = /^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/.test(text) && !text.startsWith("=?base64?");
  return plain ? text : `=?base64?${Buffer.from(text).toString("base64")}?=`;
}

// Every event of the stream goes on; true once the request itself was answered.
async function relay(body, request) {
  let answered = false;
  let rest = "";
  const decoder = new TextDecoder();
  for await (const piece of body) {
    rest += decoder.decode(piece, { stream: true });
    const events = rest.split(/\r?\n\r?\n/);
    rest = events.pop();
    for (const event of events) {
      const data = event.split(/\r?\n/).filter((line) => line.startsWith("data:")).map((line) => line.slice(5).trimStart());
      const message = data.length ? parsed(data.join("\n")) : undefined;
      if (message === undefined) continue;
      answered ||= message.id === request.id && message.method === undefined;
      pass(message, request);
    }
  }
  return answered;
}

function pass(message, request) {
  if (request.method === "initialize" && message.result) negotiated = message.result.protocolVersion;
  write(message);
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function fail(id, message) {
  write({ jsonrpc: "2.0", id, error: { code: -32000, message } });
}

function write(message) {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

function reason(problem) {
  return problem?.cause?.message || problem?.message || String(problem);
}

function endpointOf(address) {
  const url = (address ?? "http://127.0.0.1:8000").trim().replace(/\/+$/, "");
  return url.endsWith("/api/mcp") ? url : `${url}/api/mcp`;
}

// Calls one tool with an official TypeScript client and prints what it saw as one JSON object.
// usage: node call_tool.mjs client-legacy|client-modern|sdk URL KEY TOOL ARGUMENTS_JSON

import * as client from "@modelcontextprotocol/client";
import { Client as SdkClient } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as SdkTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

const [flavour, url, key, tool, argumentsJson] = process.argv.slice(2);
const info = { name: "limner-protocol-tests", version: "1" };
const options = { requestInit: { headers: { Authorization: `Bearer ${key}` } } };
const progress = [];
const watching = { onprogress: (each) => progress.push(each), timeout: 50_000 };

const eras = { "client-legacy": "legacy", "client-modern": "auto" };
const old = flavour === "sdk";
const caller = old ? new SdkClient(info) : new client.Client(info, { versionNegotiation: { mode: eras[flavour] } });
await caller.connect(old ? new SdkTransport(new URL(url), options) : new client.StreamableHTTPClientTransport(new URL(url), options));

const call = { name: tool, arguments: JSON.parse(argumentsJson) };
const result = await (old ? caller.callTool(call, undefined, watching) : caller.callTool(call, watching));
const { tools } = await caller.listTools();

const server = caller.getServerVersion();
console.log(JSON.stringify({ server, tools: tools.map((each) => each.name), progress, result }));
await caller.close();

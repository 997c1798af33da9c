// SPDX-License-Identifier: Apache-2.0
// Runs the published conformance cases of CEL and prints how many pass in each
// file. Usage: cel.mjs PROGRAM PACKAGE [--failures | --json]
//
// PROGRAM is kp_cel_conformance, PACKAGE the folder of @bufbuild/cel-spec. Types
// are checked where a case does not say that they are not. Of the cases that fail,
// those that need protobuf messages are counted apart, and those with functions
// that the case declares itself: there is no way to give a function to our checker.
import { spawnSync } from "node:child_process";
import { pathToFileURL } from "node:url";

const [program, folder, ...options] = process.argv.slice(2);
const path = `${folder}/dist/esm/testdata/conformance.js`;
const { tests } = await import(pathToFileURL(path));
const hex = (text) => Buffer.from(text, "utf8").toString("hex");

// Cases whose expression or value is a protobuf message or one of its enums.
const MESSAGES =
  /TestAllTypes|GlobalEnum|google\.protobuf\.(?!Timestamp|Duration)|proto\.(has|get)Ext/;
const needsMessages = (test) =>
  /^(cel\.expr\.conformance|google\.protobuf)/.test(test.container ?? "") ||
  MESSAGES.test(test.expr) ||
  /objectValue|enumValue/.test(JSON.stringify(test.value ?? {})) ||
  MESSAGES.test(JSON.stringify([test.typeEnv ?? [], test.bindings ?? {}]));

// Cases that call functions of their own.
const needsFunctions = (test) => (test.typeEnv ?? []).some((d) => d.function);

const isMoment = (object) => /\.(Timestamp|Duration)$/.test(object["@type"]);

// A value as an expression of literals, for variables.
function literalOf(value) {
  const [kind, content] = Object.entries(value)[0];
  switch (kind) {
    case "nullValue":
      return "null";
    case "boolValue":
    case "int64Value":
      return String(content);
    case "uint64Value":
      return `${content}u`;
    case "doubleValue":
      return `double("${content}")`;
    case "stringValue":
      return JSON.stringify(content);
    case "bytesValue":
      return `b"${hexEscapes(Buffer.from(content, "base64"))}"`;
    case "listValue":
      return `[${(content.values ?? []).map(literalOf).join()}]`;
    case "mapValue":
      return `{${(content.entries ?? [])
        .map((e) => `${literalOf(e.key)}:${literalOf(e.value)}`)
        .join()}}`;
    case "objectValue":
      if (isMoment(content))
        return `${content["@type"].endsWith("n") ? "duration" : "timestamp"}("${content.value}")`;
  }
  return "message";
}

const hexEscapes = (bytes) =>
  [...bytes].map((b) => `\\x${b.toString(16).padStart(2, "0")}`).join("");

const PRIMITIVES = {
  BOOL: "bool",
  INT64: "int",
  UINT64: "uint",
  DOUBLE: "double",
  STRING: "string",
  BYTES: "bytes",
};
const MOMENTS = {
  "google.protobuf.Timestamp": "timestamp",
  "google.protobuf.Duration": "duration",
};

// A type in the words of kp_cel_env.
function typeOf(type) {
  const [kind, content] = Object.entries(type)[0];
  switch (kind) {
    case "primitive":
      return PRIMITIVES[content];
    case "null":
      return "null_type";
    case "dyn":
      return "dyn";
    case "wellKnown":
      return content.toLowerCase();
    case "messageType":
      return MOMENTS[content] ?? content;
    case "listType":
      return `list(${typeOf(content.elemType)})`;
    case "mapType":
      return `map(${typeOf(content.keyType)}, ${typeOf(content.valueType)})`;
    case "abstractType":
      if (content.name === "optional_type")
        return `optional(${content.parameterTypes.map(typeOf).join()})`;
  }
  return `${kind} that is not known here`;
}

// A value as the program answers it.
function answerOf(value) {
  const [kind, content] = Object.entries(value)[0];
  switch (kind) {
    case "nullValue":
      return ["null_type", null];
    case "boolValue":
      return ["bool", content];
    case "int64Value":
      return ["int", `${content}.0`];
    case "uint64Value":
      return ["uint", String(content)];
    case "doubleValue":
      return ["double", Number(content)];
    case "stringValue":
      return ["string", hex(content)];
    case "bytesValue":
      return ["bytes", Buffer.from(content, "base64").toString("hex")];
    case "typeValue":
      return ["type", content];
    case "listValue":
      return ["list", (content.values ?? []).map(answerOf)];
    case "mapValue":
      return [
        "map",
        (content.entries ?? []).map((e) => [answerOf(e.key), answerOf(e.value)]),
      ];
  }
  return ["message", kind];
}

// One text for one value: doubles as numbers, maps without an order. The data
// do not tell -0.0 from 0.0, so neither is told here.
function canonical([type, content]) {
  if (type === "double") {
    const text = String(content).replace(/^(-?)inf$/, "$1Infinity");
    return `double ${text.endsWith("nan") ? NaN : Number(text) + 0}`;
  }
  if (type === "list") return `[${content.map(canonical).join()}]`;
  if (type === "map")
    return `{${content
      .map((entry) => entry.map(canonical).join(":"))
      .sort()
      .join()}}`;
  return `${type} ${content}`;
}

function passes(file, test, answer) {
  if (test.type)
    return answer[0] === "deduced" && answer[1] === typeOf(test.type);
  if (test.value)
    return canonical(answer) === canonical(answerOf(test.value));
  if (!test.evalError || !/^(error|malformed)$/.test(answer[0])) return false;
  // What is not there at all must not pass as an error that was wanted.
  const isAbsent = /there is no function|messages cannot/.test(answer[1]);
  const isWanted =
    !file.endsWith("_ext") &&
    test.evalError.errors.some((e) => /unbound|overload/.test(e.message));
  return !isAbsent || isWanted;
}

// What a case wants: an error, a type that checking finds, a value, true where it
// does not say. One that wants both type and value is asked for both.
function wantsOf({ value, evalError, typedResult, checkOnly }) {
  const type = typedResult?.deducedType;
  if (evalError) return [{ evalError }];
  return [
    ...(checkOnly
      ? []
      : [{ value: value ?? typedResult?.result ?? { boolValue: true } }]),
    ...(type ? [{ type }] : []),
  ];
}

function casesOf(suite, path) {
  return [
    ...(suite.tests ?? []).flatMap(({ original }) =>
      wantsOf(original).map((want) => ({
        ...{ path, ...original, value: undefined },
        ...want,
      })),
    ),
    ...(suite.suites ?? []).flatMap((s) => casesOf(s, `${path}/${s.name}`)),
  ];
}

// Variables: those that have a value, and those that have a type alone.
function variablesOf(test) {
  const types = Object.fromEntries(
    (test.typeEnv ?? [])
      .filter((d) => d.ident)
      .map((d) => [d.name, typeOf(d.ident.type)]),
  );
  const names = new Set([
    ...Object.keys(test.bindings ?? {}),
    ...Object.keys(types),
  ]);
  return [...names].flatMap((name) => {
    const value = test.bindings?.[name]?.value;
    return [name, types[name] ?? "dyn", hex(value ? literalOf(value) : "")];
  });
}

const modeOf = (test) =>
  test.type ? "type" : test.disableCheck ? "run" : "check";

const lineOf = (test) =>
  [modeOf(test), test.container ?? "", hex(test.expr), ...variablesOf(test)].join(
    "\t",
  ) + "\n";

function run(cases) {
  const child = spawnSync(program, {
    input: cases.map(lineOf).join(""),
    maxBuffer: 1 << 28,
    timeout: 60_000,
  });
  if (child.status !== 0)
    throw new Error(`${program}: ${child.signal ?? child.status}`);
  return child.stdout.toString().trimEnd().split("\n").map(JSON.parse);
}

const isVerbose = options.includes("--failures");
const isJson = options.includes("--json");
const row = (...columns) =>
  console.log(columns.map((c, i) => (i ? String(c).padStart(10) : c.padEnd(18))).join(""));

if (!isJson) row("file", "passed", "failed", "messages", "functions");
const sums = [0, 0, 0, 0];
for (const suite of tests.suites) {
  const cases = casesOf(suite, suite.name);
  if (cases.length === 0) continue;
  const answers = run(cases);
  const failed = cases.filter((t, i) => {
    const ok = passes(suite.name, t, answers[i]);
    if (!ok && isVerbose && !needsMessages(t))
      console.log(
        `  ${t.path}/${t.name}: ${t.expr}\n    ${JSON.stringify(answers[i])}, ` +
          `not ${JSON.stringify(t.type ?? t.value ?? t.evalError)}`,
      );
    return !ok;
  });
  const messages = failed.filter(needsMessages).length;
  const functions = failed.filter(
    (t) => needsFunctions(t) && !needsMessages(t),
  ).length;
  const figures = [
    cases.length - failed.length,
    failed.length - messages - functions,
    messages,
    functions,
  ];
  if (isJson) console.log(JSON.stringify([suite.name, ...figures]));
  else row(suite.name, ...figures);
  figures.forEach((figure, i) => (sums[i] += figure));
}
if (!isJson) row("all", ...sums);

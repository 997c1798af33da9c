// SPDX-License-Identifier: Apache-2.0
// @bufbuild/cel, asked as kp_cel_conformance is: a line of input is
//
//	mode TAB container TAB expression { TAB variable TAB its type TAB its value }
//
// and the answer the same line of JSON.
import { createInterface } from "node:readline";
import { celEnv, isCelError, isCelList, isCelMap, isCelType, isCelUint, parse, plan } from "@bufbuild/cel";
import { strings } from "@bufbuild/cel/ext";

const unhex = (text) => Buffer.from(text, "hex").toString("utf8");
const hex = (bytes) => Buffer.from(bytes).toString("hex");
const env = celEnv({ funcs: strings });

function numberOf(value) {
  return Object.is(value, -0) ? "-0" : String(value).replace("Infinity", "inf");
}

function momentOf({ desc, message }) {
  const nanos = message.nanos;
  if (desc.typeName === "google.protobuf.Timestamp")
    return [desc.typeName, `${message.seconds}.${nanos}`];
  return [desc.typeName, `${message.seconds * 1000000000n + BigInt(nanos)}.0`];
}

function answerOf(value) {
  if (value === null) return ["null_type", null];
  if (typeof value === "boolean") return ["bool", value];
  if (typeof value === "bigint") return ["int", `${value}.0`];
  if (typeof value === "number") return ["double", numberOf(value)];
  if (typeof value === "string") return ["string", hex(value)];
  if (value instanceof Uint8Array) return ["bytes", hex(value)];
  if (isCelUint(value)) return ["uint", String(value.value)];
  if (isCelType(value)) return ["type", value.name];
  if (isCelList(value)) return ["list", [...value].map(answerOf)];
  if (isCelMap(value))
    return ["map", [...value].map(([k, v]) => [answerOf(k), answerOf(v)])];
  return momentOf(value);
}

function evaluate(text, bindings) {
  const value = plan(env, parse(text))(bindings);
  if (isCelError(value)) throw value;
  return value;
}

function answer(line) {
  const [, , expression, ...rest] = line.split("\t");
  try {
    const bindings = {};
    for (let i = 0; i < rest.length; i += 3)
      bindings[rest[i]] = evaluate(unhex(rest[i + 2]), {});
    return answerOf(evaluate(unhex(expression), bindings));
  } catch (why) {
    return ["error", String(why.message)];
  }
}

for await (const line of createInterface({ input: process.stdin }))
  process.stdout.write(JSON.stringify(answer(line)) + "\n");

import { describeFound } from './describe-found.js'
import { findCharacterFault } from './find-text-fault.js'
import { limits } from './limits.js'

/** A JSON object: string, number, boolean, null, and arrays and plain objects of these, at most 32 deep. */
export type JsonRecord = Record<string, unknown>

/** A fault inside a value: where, as keys and indexes from that value on, and why. */
export interface NestedFault {
  path: PropertyKey[]
  reason: string
}

interface Walk {
  readonly faults: NestedFault[]
  /** Keys and indexes down to the value at hand. */
  readonly path: PropertyKey[]
  /** What is left of the body when every value seen so far takes the fewest bytes its JSON can have. */
  bytesLeft: number
}

/**
 * Why a value is not a JSON object that arrives as it was sent, one fault per offending value; empty if it is one.
 *
 * The value is neither copied nor changed. The walk goes no deeper than the limit, so neither a cycle nor a body
 * nested 100,000 deep can overflow the stack, and ends when what it has seen cannot fit into a body, so objects shared
 * many times over cannot keep it busy.
 */
export function findRecordFaults(value: unknown): NestedFault[] {
  if (!isPlainObject(value)) return [{ path: [], reason: `expected an object, found ${describeFound(value)}` }]
  const walk: Walk = { faults: [], path: [], bytesLeft: limits.bodyBytes }
  visitObject(walk, value, 1)
  if (walk.bytesLeft < 0) report(walk, `expected at most ${limits.bodyBytes} bytes of JSON, found more`)
  return walk.faults
}

function visit(walk: Walk, value: unknown, depth: number): void {
  if (typeof value === 'string') {
    walk.bytesLeft -= value.length + 2
    const fault = findCharacterFault(value)
    if (fault !== undefined) report(walk, fault)
  } else if (typeof value === 'object' && value !== null) {
    visitContainer(walk, value, depth)
  } else if (value === null || typeof value === 'boolean') {
    walk.bytesLeft -= 4
  } else if (typeof value === 'number' && Number.isFinite(value)) {
    walk.bytesLeft -= 1
  } else {
    report(walk, `expected a JSON value, found ${describeFound(value)}`)
  }
}

function visitContainer(walk: Walk, value: object, depth: number): void {
  const isArray = Array.isArray(value)
  if (!isArray && !isPlainObject(value)) {
    report(walk, `expected a JSON value, found ${describeFound(value)}`)
  } else if (depth > limits.recordDepth) {
    report(walk, `expected at most ${limits.recordDepth} levels, found more`)
  } else if (isArray) {
    visitArray(walk, value, depth)
  } else {
    visitObject(walk, value, depth)
  }
}

function visitArray(walk: Walk, array: readonly unknown[], depth: number): void {
  walk.bytesLeft -= 2
  // By index, so that a hole is seen as undefined; JSON would turn it into null.
  for (let index = 0; index < array.length && !isDone(walk); index += 1) {
    walk.path.push(index)
    visit(walk, array[index], depth + 1)
    walk.path.pop()
  }
}

function visitObject(walk: Walk, object: JsonRecord, depth: number): void {
  walk.bytesLeft -= 2
  for (const key of Object.keys(object)) {
    if (isDone(walk)) return
    walk.path.push(key)
    walk.bytesLeft -= key.length + 3
    const keyFault = findCharacterFault(key)
    if (keyFault !== undefined) report(walk, `in the key: ${keyFault}`)
    visit(walk, object[key], depth + 1)
    walk.path.pop()
  }
}

function report(walk: Walk, reason: string): void {
  walk.faults.push({ path: [...walk.path], reason })
}

function isDone(walk: Walk): boolean {
  return walk.bytesLeft < 0 || walk.faults.length >= limits.maxIssues
}

/** Plain means that JSON writes the object's own properties: an instance of a class may bring a `toJSON` of its own. */
function isPlainObject(value: unknown): value is JsonRecord {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null || Object.getPrototypeOf(prototype) === null
}

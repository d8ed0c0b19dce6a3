// @ts-check
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * One guard of the code, how it is taken out, and the tests that must then fail. Paths are relative to the root.
 * @typedef {object} Mutant
 * @property {string} name
 * @property {string} promise of README.md that it serves
 * @property {string} guards what the guard is for
 * @property {string} file
 * @property {string} find is in the file exactly once
 * @property {string} replace
 * @property {Tests} tests
 */

/**
 * @typedef {object} Tests
 * @property {string} file
 * @property {string} [name] a part of the tests' full names; all of the file if absent
 */

/** @param {string} path */
export function packageOf(path) {
  return path.split('/').slice(0, 2).join('/')
}

/** @param {Tests} tests */
export function isIntegration({ file }) {
  return file.startsWith(`${packageOf(file)}/test/`)
}

/**
 * @param {Mutant} mutant
 * @param {string} directory
 * @returns {string | undefined} why the mutant cannot be made there
 */
export function findMisfit({ file, find }, directory) {
  const parts = readFileSync(join(directory, file), 'utf8').split(find)
  if (parts.length !== 2) return `expected once in ${file}, found ${parts.length - 1} times: ${find}`
  return undefined
}

/**
 * @param {Mutant} mutant
 * @param {string} directory
 * @returns {() => void} puts the file back
 */
export function applyMutant({ file, find, replace }, directory) {
  const path = join(directory, file)
  const original = readFileSync(path, 'utf8')
  writeFileSync(path, original.split(find).join(replace))
  return () => writeFileSync(path, original)
}

// @ts-check
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { listPackages } from '../prepare.mjs'
import { rootDirectory } from '../services/paths.mjs'

const reportFiles = ['unit.json', 'integration.json']

/**
 * The part of vitest's JSON report that is read here.
 * @typedef {object} Report
 * @property {{ name: string, status: string, message?: string, assertionResults: Assertion[] }[]} testResults per file
 */
/** @typedef {{ fullName: string, status: string }} Assertion */

/** @typedef {{ passed: number, failed: string[], skipped: string[] }} Sum */

const listReports = () =>
  listPackages().flatMap((directory) => reportFiles.map((file) => join(directory, 'test-results', file)))

/** Deletes the reports of an earlier run, lest they be counted. */
export function removeReports() {
  for (const report of listReports()) rmSync(join(rootDirectory, report), { force: true })
}

/**
 * @param {string} path
 * @returns {Report | undefined} undefined: no report, for a package without such tests
 */
function readReport(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'ENOENT') return undefined
    throw new Error(`${path} is no report of vitest: ${error}`)
  }
}

/**
 * Adds up the reports of all packages. A test file that failed without a failed test in it (it could not be loaded, or
 * a hook failed) counts as one failure.
 * @returns {Sum}
 */
export function sumReports() {
  /** @type {Sum} */
  const sum = { passed: 0, failed: [], skipped: [] }
  for (const path of listReports()) {
    const report = readReport(join(rootDirectory, path))
    for (const file of report?.testResults ?? []) {
      const where = file.name.replace(`${rootDirectory}/`, '')
      const named = (/** @type {Assertion} */ test) => `${where}: ${test.fullName}`
      const failed = file.assertionResults.filter(({ status }) => status === 'failed')
      const passed = file.assertionResults.filter(({ status }) => status === 'passed')
      sum.passed += passed.length
      sum.failed.push(...failed.map(named))
      sum.skipped.push(
        ...file.assertionResults.filter((test) => !failed.includes(test) && !passed.includes(test)).map(named),
      )
      if (file.status === 'failed' && failed.length === 0)
        sum.failed.push(`${where}: ${file.message || 'could not be run'}`)
    }
  }
  return sum
}

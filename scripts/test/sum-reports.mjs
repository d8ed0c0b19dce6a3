// @ts-check
import { readFileSync } from 'node:fs'
import { rootDirectory } from '../services/paths.mjs'

/**
 * The part of vitest's JSON report that is read here.
 * @typedef {object} Report
 * @property {{ name: string, status: string, message?: string, assertionResults: Assertion[] }[]} testResults per file
 */
/** @typedef {{ fullName: string, status: string }} Assertion */

/** @typedef {{ passed: number, failed: string[], skipped: string[] }} Sum */

/**
 * @param {string} path
 * @returns {Report | undefined} undefined: the run ended before it was written
 */
export function readReport(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return undefined
  }
}

/**
 * Adds up the reports of all suites. A suite without a report counts as one failure, and so does a test file that
 * failed without a failed test in it: it could not be loaded, or a hook failed.
 * @param {import('./find-suites.mjs').Suite[]} suites
 * @returns {Sum}
 */
export function sumReports(suites) {
  /** @type {Sum} */
  const sum = { passed: 0, failed: [], skipped: [] }
  for (const suite of suites) {
    const report = readReport(suite.report)
    if (!report) sum.failed.push(`${suite.task}: there is no report of it`)
    for (const file of report?.testResults ?? []) {
      const where = file.name.replace(`${rootDirectory}/`, '')
      for (const { status, fullName } of file.assertionResults) {
        if (status === 'passed') sum.passed++
        else if (status === 'failed') sum.failed.push(`${where}: ${fullName}`)
        else sum.skipped.push(`${where}: ${fullName}`)
      }
      const blamed = file.assertionResults.some(({ status }) => status === 'failed')
      if (file.status === 'failed' && !blamed) sum.failed.push(`${where}: ${file.message || 'could not be run'}`)
    }
  }
  return sum
}

/**
 * @param {Sum} one
 * @param {Sum} other
 * @returns {Sum}
 */
export function addSums(one, other) {
  return {
    passed: one.passed + other.passed,
    failed: [...one.failed, ...other.failed],
    skipped: [...one.skipped, ...other.skipped],
  }
}

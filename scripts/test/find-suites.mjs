// @ts-check
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { listPackages } from '../prepare.mjs'
import { rootDirectory } from '../services/paths.mjs'

/**
 * One package's unit or integration tests.
 * @typedef {object} Suite
 * @property {string} task for turbo
 * @property {string} report vitest's JSON report, an absolute path
 * @property {boolean} needsServices whether it needs broker and database
 */

const kinds = [
  { script: 'test', directory: 'src', report: 'unit.json', needsServices: false },
  { script: 'test:integration', directory: 'test', report: 'integration.json', needsServices: true },
]

/** @param {string} directory */
function holdsTests(directory) {
  return (
    existsSync(directory) &&
    readdirSync(directory, { recursive: true, encoding: 'utf8' }).some((file) => file.endsWith('.test.ts'))
  )
}

/**
 * The suites of all packages. One without a test file is left out: vitest takes that for a failure.
 * @returns {Suite[]}
 */
export function findSuites() {
  return listPackages().flatMap((path) => {
    const root = join(rootDirectory, path)
    /** @type {{ name: string, scripts?: Record<string, string> }} */
    const { name, scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
    return kinds
      .filter(({ script, directory }) => scripts?.[script] !== undefined && holdsTests(join(root, directory)))
      .map(({ script, report, needsServices }) => ({
        task: `${name}#${script}`,
        report: join(root, 'test-results', report),
        needsServices,
      }))
  })
}

// @ts-check
import { isIntegration, packageOf } from './mutant.mjs'
import { runTests } from './run-tests.mjs'

/** @typedef {import('./mutant.mjs').Tests} Tests */

/**
 * Runs the tests of all mutants with every guard in its place.
 * @param {import('./mutant.mjs').Mutant[]} mutants
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<string[]>} why the mutants cannot be judged by them
 */
export async function findBaselineFaults(mutants, env) {
  const faults = []
  for (const wanted of groupTests(mutants.map(({ tests }) => tests))) {
    const { passed, failed, trouble } = await runTests(wanted, env)
    if (trouble) faults.push(trouble)
    faults.push(...failed)
    for (const { file, name = '' } of wanted) {
      if (!passed.some((test) => test.startsWith(`${file}: `) && test.includes(name)))
        faults.push(`${file}: no test passed that is named "${name}"`)
    }
  }
  return [...new Set(faults)]
}

/**
 * As few runs as possible.
 * @param {Tests[]} tests
 */
function groupTests(tests) {
  /** @type {Map<string, [Tests, ...Tests[]]>} */
  const groups = new Map()
  for (const one of tests) {
    const key = [packageOf(one.file), isIntegration(one), one.name === undefined].join()
    const group = groups.get(key)
    if (group) group.push(one)
    else groups.set(key, [one])
  }
  return groups.values()
}

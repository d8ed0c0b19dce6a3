// @ts-check
import { parseArgs } from 'node:util'
import { makeCopy } from './mutants/copy.mjs'
import { findBaselineFaults } from './mutants/find-baseline-faults.mjs'
import { mutants } from './mutants/guards.mjs'
import { judgeMutant } from './mutants/judge-mutant.mjs'
import { findMisfit, isIntegration } from './mutants/mutant.mjs'
import { buildPackages, installDependencies } from './prepare.mjs'
import { rootDirectory } from './services/paths.mjs'
import { say, step } from './services/progress.mjs'
import { toVariables, withServices } from './services/services.mjs'

/** @typedef {import('./mutants/mutant.mjs').Mutant} Mutant */

const print = (/** @type {string} */ line) => process.stdout.write(`${line}\n`)

/** @param {string[]} names */
function choose(names) {
  const unknown = names.filter((wanted) => !mutants.some(({ name }) => name === wanted))
  if (unknown.length > 0) throw new Error(`there is no mutant ${unknown.join(', ')}: see npm run mutants -- --list`)
  return names.length === 0 ? mutants : mutants.filter(({ name }) => names.includes(name))
}

/** @param {Mutant[]} chosen */
function assertFitting(chosen) {
  const misfits = chosen.flatMap((mutant) => {
    const misfit = findMisfit(mutant, rootDirectory)
    return misfit === undefined ? [] : [`${mutant.name}: ${misfit}`]
  })
  if (misfits.length > 0) throw new Error(`Mutants that do not apply:\n${misfits.join('\n')}`)
}

/**
 * @param {Mutant[]} chosen
 * @param {NodeJS.ProcessEnv} env
 */
async function judgeAll(chosen, env) {
  const faults = await step('running the tests without a mutant', () => findBaselineFaults(chosen, env))
  if (faults.length > 0) throw new Error(`Without a mutant these should be green:\n${faults.join('\n')}`)
  let escaped = 0
  for (const mutant of chosen) {
    const startedAt = performance.now()
    const { kind, detail } = await judgeMutant(mutant, env)
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
    print(`${kind.padEnd(8)}  ${mutant.name}: ${mutant.guards} (${detail}, ${seconds} s)`)
    if (kind === 'red') continue
    escaped += 1
    print(
      `          ${mutant.promise}\n          ${mutant.file}, ${mutant.tests.file}${mutant.tests.name ? `: ${mutant.tests.name}` : ''}`,
    )
  }
  print(`${chosen.length - escaped} of ${chosen.length} mutants turned a test red`)
  process.exitCode = escaped === 0 ? 0 : 1
}

async function main() {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { list: { type: 'boolean' } } })
  const chosen = choose(positionals)
  if (values.list)
    for (const { name, promise, guards, file } of chosen) print(`${name}: ${guards} (${file})\n    ${promise}`)
  assertFitting(chosen)
  if (values.list) return
  await installDependencies()
  await buildPackages()
  await step('copying the tree', makeCopy)
  if (!chosen.some(({ tests }) => isIntegration(tests))) return await judgeAll(chosen, {})
  await withServices((services) => judgeAll(chosen, toVariables(services)))
}

try {
  await main()
} catch (error) {
  say(error instanceof Error ? error.message : String(error))
  process.exitCode = 1
}

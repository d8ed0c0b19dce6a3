// @ts-check
import './own-instances.mjs'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { buildPackages, installDependencies } from '../scripts/prepare.mjs'
import { say } from '../scripts/services/progress.mjs'

const usage = `usage: npm run chaos [-- NAME…] [--short] [--messages N] [--seed N] [--runs N]
                              [--rabbitmq-image IMAGE], or -- --list, or -- --record

Breaks broker, database, network, far ends and workers from outside while messages flow, and proves that none is lost.
Uses a private broker and database of its own. The exit code is 1 if anything is not as it must be.
  --list        names what can be done
  --short       few messages and short faults, and unless named only what is done in 20 s: part of npm test
  --messages N  to each queue; default 5000, with --short 100
  --seed N      of mutated-messages, which prints it; kill-workers chooses anew each time
  --runs N      each scenario N times, one line for each run, and a summary; what goes wrong as soon as it has happened
  --rabbitmq-image IMAGE   a container of it, in place of Debian's broker; needs Docker
  --record      runs nothing, and writes the newest result of every scenario into docs/chaos.md`

const print = (/** @type {string} */ line) => process.stdout.write(`${line}\n`)

/** @param {string[]} args */
async function main(args) {
  const { positionals: names, values } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      list: { type: 'boolean' },
      short: { type: 'boolean', default: false },
      messages: { type: 'string' },
      runs: { type: 'string', default: '1' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      'rabbitmq-image': { type: 'string' },
      record: { type: 'boolean' },
    },
  })
  await installDependencies()
  await buildPackages()
  // Only here, since they need the dependencies and the build.
  const { scenarios } = await import('./scenarios/index.mjs')
  const { withPrivateServices } = await import('./private-services.mjs')
  const { runScenario } = await import('./run-scenario.mjs')
  const { renderRun, renderRuns } = await import('./render-runs.mjs')
  const { keepResult, listFaults, listNotes, recordResults, renderTable } = await import('./report.mjs')

  if (values.list) {
    for (const { name, what } of scenarios) print(`${name.padEnd(20)} ${what}`)
    return
  }
  if (values.record) return recordResults(scenarios.map(({ name }) => name))
  const unknown = names.filter((name) => !scenarios.some((scenario) => scenario.name === name))
  if (unknown.length > 0) throw new Error(`No such scenario: ${unknown.join(', ')}. --list names them.`)
  const { short, 'rabbitmq-image': rabbitmqImage } = values
  const messages = toPositiveInteger('--messages', values.messages ?? (short ? '100' : '5000'))
  const seed = toPositiveInteger('--seed', values.seed)
  const runs = toPositiveInteger('--runs', values.runs)
  const isChosen = (/** @type {import('./scenario.mjs').Scenario} */ { name, isTest, onlyNamed }) =>
    names.length === 0 ? onlyNamed !== true && (!short || isTest === true) : names.includes(name)
  const chosen = scenarios.filter(isChosen)

  await withPrivateServices(rabbitmqImage, async (services) => {
    for (const scenario of chosen) {
      const results = []
      for (let run = 1; run <= runs; run += 1) {
        const title = runs > 1 ? `${scenario.name}-${run}` : scenario.name
        const result = await runOnce(scenario, title, services)
        results.push(result)
        if (runs > 1) print(renderRun(title, result))
      }
      if (runs > 1) print(renderRuns(scenario.name, results))
    }
  })

  /**
   * @param {import('./scenario.mjs').Scenario} scenario
   * @param {string} title of this run
   * @param {import('./private-services.mjs').PrivateServices} services
   */
  async function runOnce(scenario, title, services) {
    const since = performance.now()
    const sayHere = (/** @type {string} */ line) =>
      say(`${title} ${((performance.now() - since) / 1000).toFixed(0).padStart(4)} s  ${line}`)
    sayHere(scenario.what)
    const result = await runScenario(scenario, services, { title, messages, seed, short, say: sayHere }).catch(
      (error) => ({
        rows: [],
        notes: [],
        faults: [`it failed half-way: ${error instanceof Error ? error.stack : error}`],
        ended: 0,
      }),
    )
    const recorded = { name: title, at: new Date().toISOString(), ...result }
    keepResult(recorded, { short, rabbitmqImage })
    if (runs === 1) {
      print(`\n${renderTable([recorded])}`)
      for (const note of listNotes(result)) print(note)
    }
    for (const fault of listFaults(result)) {
      print(`FAULT ${fault}`)
      process.exitCode = 1
    }
    sayHere('done')
    return result
  }
}

/** @param {string} option @param {string} text */
function toPositiveInteger(option, text) {
  if (/^[1-9]\d*$/.test(text)) return Number(text)
  throw new Error(`${option}: expected a positive integer, found ${text}`)
}

// What was started ends with this process.
process.on('SIGINT', () => process.exit(130)).on('SIGTERM', () => process.exit(143))
try {
  await main(process.argv.slice(2))
} catch (error) {
  say(error instanceof Error ? (error.stack ?? error.message) : String(error))
  say(usage)
  process.exitCode = 1
}
// A scenario that failed half-way may have left a publisher, whose pipes would keep this process.
process.exit()

// @ts-check
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { localDirectory } from '../scripts/services/paths.mjs'
import { waitUntilReady } from '../scripts/services/wait-until-ready.mjs'
import { queueNames, toIndex, workerOf } from '../scripts/workers.mjs'
import { readEffects } from './effects.mjs'
import { startFleet } from './fleet.mjs'
import { judge } from './judge.mjs'
import { openListener } from './listener.mjs'
import { startPublisher } from './publisher.mjs'
import { countQueue, deadLetterQueueOf, drainQueue, listWaitingQueues } from './queues.mjs'
import { runWithDeepStack } from './run-with-deep-stack.mjs'
import { openStage } from './stage.mjs'
import { createStrayMessages } from './stray-messages.mjs'

/** @typedef {import('../scripts/workers.mjs').QueueName} QueueName */

const defaultReplicas = 2
const startLimitMs = 120_000
/** Work goes on undisturbed so long before the fault, and messages are still sent so long after it; in seconds. */
const inFull = { before: 6, after: 15 }
const inShort = { before: 1, after: 3 }
const shortPauseMs = 3000
const queuesModule = new URL('./queues.mjs', import.meta.url).href
const settleLimitMs = 180_000
/** Five tries of a send, and a good while. */
const publisherLimitMs = 120_000

/**
 * @typedef {object} Result
 * @property {import('./judge.mjs').Row[]} rows
 * @property {string[]} notes
 * @property {string[]} faults beside those of the rows
 * @property {number} ended processes that ended by themselves, or did not end
 */

/**
 * Starts two replicas of each worker and a publisher, does the fault while messages flow, waits until all is done, and
 * counts.
 * @param {import('./scenario.mjs').Scenario} scenario
 * @param {import('./private-services.mjs').PrivateServices} services
 * @param {{ title: string, messages: number, seed: number, short: boolean, say: (line: string) => void }} options `title`:
 *   of the directory for logs and journal
 * @returns {Promise<Result>}
 */
export async function runScenario(scenario, services, { title, messages, seed, short, say }) {
  const { replicas = defaultReplicas } = scenario
  const queues = (short ? scenario.shortQueues : undefined) ?? scenario.queues ?? queueNames
  const faultSeconds = short ? (scenario.shortSeconds ?? shortPauseMs / 1000) : scenario.seconds
  const { before, after } = short ? inShort : inFull
  const pause = (/** @type {number} */ ms) => sleep(short ? Math.min(ms, shortPauseMs) : ms)
  const directory = join(localDirectory, 'runs', title)
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory, { recursive: true })
  const { proxied = false, databaseProxied = false, mailServer } = scenario
  const stage = await openStage(services, { proxied, databaseProxied, mailServer })
  const fleet = await startFleet(
    queues.map((queue) => ({
      worker: workerOf(queue).name,
      count: replicas,
      env: { ...stage.environmentOf(queue), ...scenario.environment },
    })),
    { logDirectory: directory, mayKillThemselves: scenario.mayKillItself ?? false },
  )
  /** @type {import('./listener.mjs').Listener | undefined} */
  let listener
  try {
    await Promise.all(fleet.replicas.map((replica) => replica.untilReady({ timeoutMs: startLimitMs })))
    // Now the exchange is declared.
    if (queues.includes('chat.messages')) listener = await openListener(stage.brokerUrl)
    const stray = createStrayMessages(stage)
    /** @type {string[]} */
    const notes = []
    const note = (/** @type {string} */ line) => {
      notes.push(line)
      say(line)
    }
    await scenario.prepare?.({ ...services, stage, messages })
    const publisher = startPublisher({
      url: stage.clientUrl,
      counts: Object.fromEntries(
        queues.map((queue) => [queue, Math.min(messages, scenario.messages?.[queue] ?? messages)]),
      ),
      seconds: { first: before + faultSeconds, rest: after },
      ...(scenario.sendsAllMeanwhile && { firstShare: 1 }),
      journalFile: join(directory, 'journal.jsonl'),
    })
    await publisher.connected
    await sleep(before * 1000)
    say('the fault begins')
    /** @type {string[]} */
    const reported = []
    const reportFault = (/** @type {string} */ line) => void reported.push(line)
    await scenario.fault({
      ...services,
      fleet,
      stage,
      publisher,
      queues,
      ...stray,
      seed,
      pause,
      short,
      note,
      reportFault,
    })
    const faultOverAt = Date.now()
    publisher.sendRest()
    say('the fault is over')
    note(`load ${loadavg()[0]?.toFixed(1)} at the end of the fault`)
    const journal = await Promise.race([publisher.done, giveUpOn('the publisher', after * 1000 + publisherLimitMs)])
    const published = [...journal, ...queues.flatMap((queue) => stray.listGood(queue))]
    say(`all is sent, ${Math.round((Date.now() - faultOverAt) / 1000)} s after the fault`)
    const expected = published.filter(({ queue, id }) => !scenario.mayHaveNobody?.(queue, toIndex(id)))
    const left = await waitUntilReady(() => findUndone(stage, queues, expected), {
      timeoutMs: settleLimitMs,
      intervalMs: 1000,
    })
    if (left !== undefined) note(`not all was done: ${left}`)
    if (replicas > 1 && listener) note(await renderShares(fleet, workerOf('chat.messages').name))
    await fleet.stop()
    for (const complaint of fleet.listComplaints()) note(complaint)

    const drain = (/** @type {string} */ queue) => runWithDeepStack(queuesModule, drainQueue, stage.brokerUrl, queue)
    const rows = []
    for (const queue of queues) {
      const waiting = []
      for (const each of listWaitingQueues(queue)) waiting.push(...(await drain(each)))
      const effects = await readEffects(queue, stage)
      writeFileSync(join(directory, `${queue}.timeline.txt`), renderTimeline(effects.times, faultOverAt))
      const evidence = {
        queue,
        published: published.filter((each) => each.queue === queue),
        effects,
        hearings: listener?.hearings ?? [],
        dead: await drain(deadLetterQueueOf(queue)),
        waiting,
        poison: stray.listPoison(queue),
        mutated: stray.listMutated(queue),
        faultOverAt,
      }
      rows.push(judge(evidence, scenario))
    }
    return { rows, notes, faults: [...fleet.faults, ...reported], ended: fleet.faults.length }
  } finally {
    // Each of them whatever becomes of the others: workers that are left over would work on beside the next scenario.
    const healed = await Promise.allSettled([services.broker.heal(), services.database.heal()])
    await fleet.stop()
    await listener?.close()
    await stage.close()
    const failed = healed.find(({ status }) => status === 'rejected')
    if (failed) say(`healing failed: ${/** @type {PromiseRejectedResult} */ (failed).reason}`)
  }
}

/**
 * How many effects there were in each second before and after the end of the fault.
 * @param {number[]} times
 * @param {number} faultOverAt
 */
function renderTimeline(times, faultOverAt) {
  /** @type {Map<number, number>} */
  const bySecond = new Map()
  for (const at of times) {
    const second = Math.floor((at - faultOverAt) / 1000)
    bySecond.set(second, (bySecond.get(second) ?? 0) + 1)
  }
  const lines = [...bySecond].sort(([a], [b]) => a - b).map(([second, count]) => `${second} s: ${count}\n`)
  return lines.join('')
}

/**
 * @param {string} what
 * @param {number} ms
 * @returns {Promise<never>}
 */
async function giveUpOn(what, ms) {
  await sleep(ms, undefined, { ref: false })
  throw new Error(`Expected ${what} to end within ${ms / 1000} s`)
}

/**
 * How the work was shared, as the processes that run now say.
 * @param {import('./fleet.mjs').Fleet} fleet
 * @param {string} worker
 */
async function renderShares({ replicas }, worker) {
  const shares = replicas
    .filter((replica) => replica.worker === worker)
    .map(async (replica) => `${replica.name} ${(await replica.countAcked()) ?? 'does not answer'}`)
  return `acked since it was started last: ${(await Promise.all(shares)).join(', ')}`
}

/**
 * @param {import('./stage.mjs').Stage} stage
 * @param {QueueName[]} queues
 * @param {import('./publisher.mjs').Published[]} published
 * @returns {Promise<string | undefined>}
 */
async function findUndone(stage, queues, published) {
  for (const queue of queues) {
    const { counts } = await readEffects(queue, stage)
    const confirmed = published.filter((each) => each.queue === queue && each.outcome === 'confirmed')
    const undone = confirmed.filter(({ id }) => !counts.has(id)).length
    const { messageCount: dead } = await countQueue(stage.brokerUrl, deadLetterQueueOf(queue))
    if (undone > dead) return `${queue} has ${undone} confirmed messages without effect and ${dead} dead letters`
    for (const each of listWaitingQueues(queue)) {
      const { messageCount } = await countQueue(stage.brokerUrl, each)
      if (messageCount > 0) return `${messageCount} messages wait in ${each}`
    }
  }
  return undefined
}

// @ts-check
import { setTimeout as sleep } from 'node:timers/promises'
import { untilRecorded } from './until-recorded.mjs'

/** For the acks of the last messages; this part is not measured. */
const lastAcksMs = 500

/**
 * Waits until a process has recorded all that was in the queue, stops it, and makes sure that it has acknowledged all.
 * @param {import('./vhost.mjs').BenchQueue} queue
 * @param {import('../scripts/start-script.mjs').Script} process
 * @param {() => Promise<number>} countRecorded
 * @param {{ count: number, signal: AbortSignal }} options
 */
export async function untilDrained(queue, process, countRecorded, options) {
  await untilRecorded(process, countRecorded, options)
  await sleep(lastAcksMs)
  process.stop()
  await process.ended
  await queue.assertEmpty()
}
